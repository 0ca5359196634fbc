import type { Random } from "./random.ts";

/** The part of JSON Schema that the API's document uses. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly minimum?: number;
}

/** Texts that have broken other programs. */
export const EVIL_TEXTS = [
  "",
  " ",
  "\0",
  "\u202e\u2066",
  "\ud800",
  "\udfff\ud800",
  "🧑‍🦽".repeat(40),
  "a".repeat(5000),
  "ÿ".repeat(300),
  "'; DROP TABLE ar_content; --",
  '" onload="alert(1)',
  "<script>alert(1)</script>",
  "../../../../etc/passwd",
  "..\\..\\boot.ini",
  "%2e%2e%2f",
  "%00",
  "%",
  "file:///etc/passwd",
  "http://169.254.169.254/latest/meta-data",
  "http://[::ffff:127.0.0.1]/",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a template of another language
  "${jndi:ldap://localhost/a}",
  "{{7*7}}",
  "=cmd|' /C calc'!A0",
  "null",
  "NaN",
  "-1",
  "1e999",
  "9007199254740993",
  "0x10",
  "true",
  "__proto__",
  "constructor",
  "2026-13-45T99:99:99Z",
  "00000000-0000-0000-0000-000000000000",
] as const;

const EVIL_VALUES: readonly unknown[] = [
  ...EVIL_TEXTS,
  null,
  true,
  0,
  -0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  -1e308,
  [],
  {},
  [[[[[[[[]]]]]]]],
  Array.from({ length: 2000 }, (_, i) => i),
  { length: -1 },
  { toString: 1, valueOf: 1 },
  JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}'),
];

/** Returns a value that more or less fits a schema. */
export function exampleOf(
  schema: Schema,
  random: Random,
  resolve: (reference: string) => Schema,
  depth = 0,
): unknown {
  const go = (inner: Schema) => exampleOf(inner, random, resolve, depth + 1);
  if (depth > 12) return null;
  if (schema.$ref) return go(resolve(schema.$ref));
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return random.pick(schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return go(random.pick(choices));
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map(go));
  switch (typeof schema.type === "string" ? schema.type : random.pick(schema.type ?? ["null"])) {
    case "object":
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          .filter(() => random.chance(0.9))
          .map(([name, property]) => [name, go(property)]),
      );
    case "array":
      return Array.from({ length: random.below(4) }, () => go(schema.items ?? {}));
    case "integer":
    case "number":
      return (schema.minimum ?? 0) + random.below(5);
    case "boolean":
      return random.chance(0.5);
    case "string":
      return schema.format === "uuid"
        ? "6f0c2a8e-1111-4222-8333-944445555666"
        : random.pick(["a", "Ada", "eu", "x@y.z"]);
    default:
      return null;
  }
}

/** Returns the value with an error somewhere in it. */
function spoilValue(value: unknown, random: Random): unknown {
  if (typeof value !== "object" || value === null || random.chance(0.15)) return random.pick(EVIL_VALUES);
  const copy: Record<string, unknown> = Array.isArray(value)
    ? ([...value] as unknown as Record<string, unknown>)
    : { ...value };
  const names = Object.keys(copy);
  if (names.length === 0 || random.chance(0.15)) {
    copy[random.pick(EVIL_TEXTS)] = random.pick(EVIL_VALUES);
    return copy;
  }
  const name = random.pick(names);
  if (random.chance(0.15)) delete copy[name];
  else copy[name] = spoilValue(copy[name], random);
  return copy;
}

/** Returns JSON text that may be invalid. */
export function spoilJson(value: unknown, random: Random): string {
  const text = JSON.stringify(random.chance(0.8) ? spoilValue(value, random) : value) ?? "";
  switch (random.below(12)) {
    case 0:
      return text.slice(0, random.below(text.length + 1));
    case 1:
      return `${text}${text}`;
    case 2:
      return text.replaceAll('"', "'");
    case 3:
      return "[".repeat(20_000);
    case 4:
      return `\ufeff${text}`;
    case 5:
      return text.replace(/\d+/, "NaN");
    case 6:
      return `{"a":"${"x".repeat(80_000)}"}`;
    default:
      return text;
  }
}
