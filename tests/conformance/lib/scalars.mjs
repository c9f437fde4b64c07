// What custom scalars are in TypeScript: text, unless somebody says otherwise.
import { isScalarType, specifiedScalarTypes } from 'graphql';

/** The schema's own scalars. */
export function customScalars(schema) {
  const own = (type) => isScalarType(type) && !specifiedScalarTypes.some((known) => known.name === type.name) && !type.name.startsWith('_');
  return Object.values(schema.getTypeMap()).filter(own).map((type) => type.name);
}

/** Each of them with its type; `given` has those that are something else. */
export const scalarsOf = (schema, given = {}) => ({ ...Object.fromEntries(customScalars(schema).map((name) => [name, 'string'])), ...given });
