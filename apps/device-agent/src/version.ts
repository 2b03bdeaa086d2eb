/** The agent's version; changes with the package's. */
export const version = "0.1.0";
