const unitBytes = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

/** Bytes of a size as documents write it: `600MB` (10⁶), `600MiB` (2²⁰), `512B`; else `undefined`. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,3})?)(B|[kMGT]B|[KMGT]iB)$/.exec(text);
  if (!match) return undefined;
  const bytes = Math.round(Number(match[1]) * unitBytes[match[2] as keyof typeof unitBytes]);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes as people read them, in powers of ten: `42 B`, `3.1 MB`, `212 MB`. */
export function formatSize(bytes: number): string {
  const unit = (["TB", "GB", "MB", "kB"] as const).find((name) => bytes >= unitBytes[name]);
  if (!unit) return `${bytes} B`;
  const value = bytes / unitBytes[unit];
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ${unit}`;
}
