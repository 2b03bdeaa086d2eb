/** The version of the command line; changes with the package's. */
export const version = "0.1.0";
