import type { CapsuleManager } from "@roboticks/capsule";
import type { ConfigurationManager } from "@roboticks/config";
import type { Configurations } from "@roboticks/deployment";
import type { AgentSettings } from "@roboticks/spec/agent";

/**
 * Configuration as the deployment manager wants it: what the deployment says, under this
 * device's own overrides, checked by the schema that the capsule ships.
 */
export function deployableConfigurations(
  manager: ConfigurationManager,
  capsules: CapsuleManager,
  overrides: AgentSettings["overrides"],
): Configurations {
  return {
    async stage(use, { capsule, environment }) {
      const schema = (await capsules.find(capsule))?.manifest.configuration?.schema;
      const { version } = await manager.stage(use, {
        ...(schema ? { schema } : {}),
        layers: [
          { from: "deployment", variables: environment },
          { from: "local override", variables: overrides[use] ?? {} },
        ],
      });
      return version;
    },
    read: (use, version) => manager.read(use, version),
    async collect(kept) {
      for (const [use, versions] of Object.entries(kept)) {
        for (const version of await manager.versions(use)) {
          if (!versions.includes(version)) await manager.remove(use, version);
        }
      }
    },
  };
}
