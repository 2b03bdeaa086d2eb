import * as z from "zod";

/** The keys that `schema` knows at `path`; none where it takes any key or is no object. */
export function keysAt(schema: z.ZodType, path: readonly (string | number)[]): readonly string[] {
  let here: z.ZodType | undefined = unwrap(schema);
  for (const part of path) {
    if (here instanceof z.ZodObject) here = here.shape[part];
    else if (here instanceof z.ZodRecord) here = here.valueType as z.ZodType;
    else if (here instanceof z.ZodArray) here = here.element as z.ZodType;
    else return [];
    if (!here) return [];
    here = unwrap(here);
  }
  if (!(here instanceof z.ZodObject)) return [];
  // A key that is only there to be refused is nothing to recommend.
  return Object.entries<z.ZodType>(here.shape)
    .filter(([, value]) => !(unwrap(value) instanceof z.ZodNever))
    .map(([key]) => key);
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return unwrap(schema.unwrap() as z.ZodType);
  }
  return schema instanceof z.ZodPipe ? unwrap(schema.in as z.ZodType) : schema;
}
