import { SpecError } from "./errors.ts";
import { nameSchema } from "./words.ts";

/** Where the platform is, and what a device shows to enroll there. */
export interface Dsn {
  /** Origin of the platform, no slash at the end: `https://fleet.example.com`. */
  readonly endpoint: string;
  readonly project: string;
  /** Lets a device enroll, nothing else. A secret: never logged. */
  readonly key: string;
  /** Digest of the `root.json` to trust. Left out: the first one that is seen. */
  readonly rootDigest?: `sha256:${string}`;
}

/**
 * Reads `https://KEY@HOST/PROJECT#sha256:…`; the fragment may be left out, `http` is for
 * loopback only.
 *
 * @throws {SpecError} `ERR_SPEC_DSN`; the message never holds the key
 */
export function parseDsn(text: string): Dsn {
  const refuse = (why: string): SpecError =>
    new SpecError(
      "ERR_SPEC_DSN",
      `the DSN ${why}; it has the form https://KEY@HOST/PROJECT#sha256:DIGEST`,
    );
  if (!URL.canParse(text.trim())) throw refuse("is no URL");
  const url = new URL(text.trim());
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && loopback)) {
    throw refuse("is not https (http is taken for loopback only)");
  }
  if (!/^[A-Za-z0-9_-]{16,128}$/.test(url.username)) {
    throw refuse("has no key (16 to 128 of A-Z, a-z, 0-9, _ and -)");
  }
  if (url.password || url.search) throw refuse("has a password or a query, and takes none");
  const project = url.pathname.slice(1);
  if (!nameSchema.safeParse(project).success) throw refuse("names no project");
  const fragment = url.hash.slice(1);
  if (fragment !== "" && !/^sha256:[0-9a-f]{64}$/.test(fragment)) {
    throw refuse("has a fragment that is no sha256 digest");
  }
  return {
    endpoint: url.origin,
    project,
    key: url.username,
    ...(fragment === "" ? {} : { rootDigest: fragment as `sha256:${string}` }),
  };
}

/** The text of a {@link Dsn}. It holds the key. */
export function formatDsn({ endpoint, project, key, rootDigest }: Dsn): string {
  return `${endpoint.replace("://", `://${key}@`)}/${project}${rootDigest ? `#${rootDigest}` : ""}`;
}
