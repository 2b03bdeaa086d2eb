export { ConfigError, type ConfigErrorCode, configErrorCodes } from "./errors.ts";
export type { Layer, Layered, Setting } from "./layers.ts";
export {
  ConfigurationManager,
  type ConfigurationManagerOptions,
  type Staged,
  type StageOptions,
} from "./manager.ts";
export { checkSchema, type VariablesSchema } from "./schema.ts";
export { type Problem, type Variables, validateVariables } from "./validate.ts";
