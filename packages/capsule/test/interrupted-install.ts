// Installs a capsule in a process of its own, to be killed: ROOT URL DIGEST
import { isDigest } from "@roboticks/core/digest";
import { CapsuleManager } from "../src/index.ts";

const [root = "", url = "", digest = ""] = process.argv.slice(2);
if (!isDigest(digest)) throw new Error(`${digest} is no digest`);
const capsules = await CapsuleManager.open({ root, diskReserveBytes: 0 });
await capsules.install({ url, digest });
