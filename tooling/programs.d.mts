export function missingPackages(
  path?: string,
  programs?: Readonly<Record<string, string>>,
): string[];
export function ensurePrograms(): Promise<void>;
