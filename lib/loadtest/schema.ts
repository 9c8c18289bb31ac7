// Words for schemas that CRDs understand too: closed objects, bounded lists and maps, names, quantities.
import Type, { type Static, type TProperties, type TSchema } from "typebox";

/** A label's or an annotation's key, a taint's, a scheduling gate's. */
const qualifiedNamePattern =
  "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$";
const labelValuePattern = "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$";
const labelValueMustBe = "a label's value: at most 63 letters, digits, '-', '_' and '.'";
/** A decimal number with a unit, as Kubernetes writes amounts. */
const quantityPattern = "^[0-9]{1,18}(\\.[0-9]{1,9})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$";

/** An object with these fields and no others. */
export function closed<T extends TProperties>(properties: T, description: string) {
  const mustBe = `an object with the fields ${Object.keys(properties).join(", ")}`;
  return Type.Object(properties, { additionalProperties: false, description, mustBe });
}

/** A list of at most so many items, replaced as a whole. */
export function listOf<T extends TSchema>(items: T, maxItems: number, description: string, minItems = 0) {
  return Type.Array(items, {
    description,
    ...(minItems === 0 ? {} : { minItems }),
    maxItems,
    "x-kubernetes-list-type": "atomic",
    mustBe: `a list of ${minItems === 0 ? "at most" : `${minItems} to`} ${maxItems} items`,
  });
}

/** A map of at most so many texts. */
export function mapOf<T extends TSchema>(values: T, maxProperties: number, description: string) {
  return Type.Unsafe<Record<string, Static<T>>>({
    type: "object",
    description,
    additionalProperties: values,
    maxProperties,
    mustBe: `a map with at most ${maxProperties} keys`,
  });
}

export function qualifiedName(description: string) {
  return Type.String({
    description,
    pattern: qualifiedNamePattern,
    maxLength: 317,
    mustBe: "a name such as disktype or example.com/disktype",
  });
}

export function labelValue(description?: string) {
  return Type.String({
    ...(description === undefined ? {} : { description }),
    pattern: labelValuePattern,
    maxLength: 63,
    mustBe: labelValueMustBe,
  });
}

/** A text, or a whole number, as in a Pod. */
export function quantity(description: string) {
  return Type.Unsafe<string | number>({
    type: ["integer", "string"],
    "x-kubernetes-int-or-string": true,
    description,
    pattern: quantityPattern,
    maxLength: 32,
    mustBe: "an amount such as 500m, 2 or 256Mi",
  });
}

export function integerWithin(minimum: number, maximum: number, description?: string) {
  return Type.Integer({
    ...(description === undefined ? {} : { description }),
    minimum,
    maximum,
    mustBe: `an integer from ${minimum} to ${maximum}`,
  });
}
