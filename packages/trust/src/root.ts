import {
  checkSignatures,
  type Envelope,
  readEnvelope,
  type Signers,
  signEnvelope,
} from "./envelope.ts";
import { TrustError } from "./errors.ts";
import { isExpiry } from "./expiry.ts";
import {
  exactObject,
  excerpt,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  malformed,
  memberOf,
} from "./json.ts";
import { type KeyPair, keyIdOf, type PublicKey, parsePublicKey } from "./keys.ts";

/** The keys of a role, and how many of them have to sign. */
export interface RootRole {
  readonly keyids: readonly string[];
  readonly threshold: number;
}

/** Root metadata of TUF: which keys hold which role. */
export interface Root {
  readonly _type: "root";
  /** The version of the TUF specification, `1.x.y`. */
  readonly spec_version: string;
  /** 1, 2, …; each root replaces the one before. */
  readonly version: number;
  /** RFC 3339 in UTC, to the second: `2027-01-31T12:00:00Z`. */
  readonly expires: string;
  readonly consistent_snapshot: boolean;
  /** By key id. */
  readonly keys: Readonly<Record<string, PublicKey>>;
  /** By name; `root` is always there. */
  readonly roles: Readonly<Record<string, RootRole>>;
}

/** Options of {@link createRoot}. */
export interface CreateRootOptions {
  /** Who may sign roots; all of them sign this one. */
  readonly rootKeys: readonly KeyPair[];
  /** How many of them the next root needs. Default 1. */
  readonly rootThreshold?: number;
  /** Who may sign assignments; their private halves are not needed here. */
  readonly assignmentKeys: readonly PublicKey[];
  /** How many of them an assignment needs. Default 1. */
  readonly assignmentThreshold?: number;
  /** An integer ≥ 1. Default 1. */
  readonly version?: number;
  /** RFC 3339 in UTC, to the second; see `formatExpiry`. */
  readonly expires: string;
}

/**
 * A new root, signed by all `rootKeys`.
 *
 * @throws {TrustError} `ERR_TRUST_MALFORMED` where the options do not make a root that
 *   {@link verifyRoot} accepts (a threshold greater than the number of keys, say)
 */
export function createRoot({
  rootKeys,
  rootThreshold = 1,
  assignmentKeys,
  assignmentThreshold = 1,
  version = 1,
  expires,
}: CreateRootOptions): Envelope<Root> {
  const publicKeys = [...rootKeys.map(({ publicKey }) => publicKey), ...assignmentKeys];
  const root: Root = {
    _type: "root",
    spec_version: "1.0.31",
    version,
    expires,
    consistent_snapshot: true,
    keys: Object.fromEntries(publicKeys.map((key) => [keyIdOf(key), key])),
    roles: {
      root: { keyids: rootKeys.map(({ keyId }) => keyId), threshold: rootThreshold },
      assignment: { keyids: assignmentKeys.map(keyIdOf), threshold: assignmentThreshold },
    },
  };
  const envelope = signEnvelope(root, rootKeys);
  verifyRoot(envelope);
  return envelope;
}

/**
 * The root in `envelope` (bytes or text of JSON, or what was parsed from it), once its shape was
 * checked and enough of its own root keys signed it. That makes it whole, not trusted: whether
 * it is *the* root is known by its digest, or because the root before it verifies it too
 * (`verifyEnvelope(next, root, "root")`). Expiry is not looked at. Members that it has beyond
 * those of {@link Root} are covered by the signatures and left out here, as TUF asks.
 *
 * @throws {TrustError} `ERR_TRUST_MALFORMED`, `ERR_TRUST_KEY_INVALID`, `ERR_TRUST_SIGNATURE` or
 *   `ERR_TRUST_THRESHOLD`
 */
export function verifyRoot(envelope: unknown): Root {
  const read = readEnvelope(envelope);
  const root = readRoot(read.signed);
  checkSignatures(read, signersOf(root, "root"), "the root");
  return root;
}

/**
 * What `envelope` (bytes or text of JSON, or what was parsed from it) says, once enough keys of
 * `role` signed it. The same key may hold two roles, and expiry and versions are the caller's:
 * look at what the document says that it is before using it. Bytes and text may have 1 MiB and
 * 64 levels; for more, parse them with `parseStrictJson` first.
 *
 * @param root as {@link verifyRoot} gave it
 * @throws {TrustError} `ERR_TRUST_ROLE` where `root` has no such role
 * @throws {TrustError} `ERR_TRUST_MALFORMED`, `ERR_TRUST_SIGNATURE` or `ERR_TRUST_THRESHOLD`
 */
export function verifyEnvelope(envelope: unknown, root: Root, role: string): JsonValue {
  const signers = signersOf(root, role);
  const read = readEnvelope(envelope);
  checkSignatures(read, signers, `the document of role ${excerpt(role)}`);
  return read.signed;
}

function signersOf(root: Root, name: string): Signers {
  const role = Object.hasOwn(root.roles, name) ? root.roles[name] : undefined;
  if (!role) {
    throw new TrustError(
      "ERR_TRUST_ROLE",
      `root ${root.version} names no keys for role ${excerpt(name)}; get a root that does`,
    );
  }
  const keys = new Map<string, PublicKey>();
  for (const keyid of role.keyids) {
    const key = Object.hasOwn(root.keys, keyid) ? root.keys[keyid] : undefined;
    if (key) keys.set(keyid, key);
  }
  return { keys, threshold: role.threshold };
}

function readRoot(value: JsonValue): Root {
  if (!isJsonObject(value) || memberOf(value, "_type") !== "root") {
    throw malformed('the document is no root: its "_type" is another');
  }
  const version = memberOf(value, "version");
  const expires = memberOf(value, "expires");
  const specVersion = memberOf(value, "spec_version");
  const consistentSnapshot = memberOf(value, "consistent_snapshot");
  if (typeof specVersion !== "string" || !/^1\.\d{1,6}\.\d{1,6}$/.test(specVersion)) {
    throw malformed('the "spec_version" of a root is not 1.x.y');
  }
  if (!isCount(version)) throw malformed('the "version" of a root is no integer ≥ 1');
  if (!isExpiry(expires)) {
    throw malformed('the "expires" of a root is no time like 2027-01-31T12:00:00Z');
  }
  if (typeof consistentSnapshot !== "boolean") {
    throw malformed('the "consistent_snapshot" of a root is neither true nor false');
  }
  const keys = readKeys(memberOf(value, "keys"));
  const roles = readRoles(memberOf(value, "roles"), keys);
  return {
    _type: "root",
    spec_version: specVersion,
    version,
    expires,
    consistent_snapshot: consistentSnapshot,
    keys: Object.fromEntries(keys),
    roles,
  };
}

function readKeys(value: JsonValue | undefined): ReadonlyMap<string, PublicKey> {
  const keys = new Map<string, PublicKey>();
  for (const [keyid, member] of Object.entries(object(value, 'the "keys" of a root'))) {
    const key = parsePublicKey(member);
    if (keyIdOf(key) !== keyid) {
      throw malformed(`key ${excerpt(keyid)} of a root is listed under an id that is not its own`);
    }
    keys.set(keyid, key);
  }
  return keys;
}

function readRoles(
  value: JsonValue | undefined,
  keys: ReadonlyMap<string, PublicKey>,
): Readonly<Record<string, RootRole>> {
  const roles = Object.entries(object(value, 'the "roles" of a root')).map(
    ([name, role]) => [name, readRole(role, keys, `role ${excerpt(name)} of a root`)] as const,
  );
  if (!roles.some(([name]) => name === "root")) throw malformed('a root has no role "root"');
  return Object.fromEntries(roles);
}

function readRole(value: JsonValue, keys: ReadonlyMap<string, PublicKey>, what: string): RootRole {
  const { keyids, threshold } = exactObject(value, ["keyids", "threshold"], what);
  if (!Array.isArray(keyids)) throw malformed(`the "keyids" of ${what} are no list`);
  const ids = keyids.map((keyid: JsonValue): string => {
    if (typeof keyid === "string" && keys.has(keyid)) return keyid;
    throw malformed(`${what} names a key that the root does not have`);
  });
  if (new Set(ids).size < ids.length) throw malformed(`${what} names a key twice`);
  if (!isCount(threshold)) throw malformed(`the "threshold" of ${what} is no integer ≥ 1`);
  if (threshold > ids.length) {
    throw malformed(`${what} needs ${threshold} signatures, but has ${ids.length} keys`);
  }
  return { keyids: ids, threshold };
}

function object(value: JsonValue | undefined, what: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw malformed(`${what} are no object`);
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}
