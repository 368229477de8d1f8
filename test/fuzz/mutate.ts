import fc from 'fast-check';

/** What is done to a valid input before it is read: to its structure, then to its bytes. Small lists shrink to readable cases. */
export interface Damage {
  readonly input: number;
  readonly structure: readonly StructureOp[];
  readonly bytes: readonly ByteOp[];
}

type StructureOp =
  | { readonly op: 'replace'; readonly at: number; readonly by: unknown }
  | { readonly op: 'delete'; readonly at: number }
  | { readonly op: 'add'; readonly at: number; readonly key: string; readonly by: unknown }
  | { readonly op: 'swap'; readonly at: number; readonly with: number };

type ByteOp =
  | { readonly op: 'cut'; readonly at: number }
  | { readonly op: 'flip'; readonly at: number; readonly bit: number }
  | { readonly op: 'drop'; readonly at: number; readonly count: number }
  | { readonly op: 'insert'; readonly at: number; readonly bytes: readonly number[] }
  | { readonly op: 'repeat'; readonly at: number; readonly count: number };

/** Values that have broken parsers before. */
const ODD: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  1e308,
  2 ** 53,
  '',
  '\u0000',
  '\ud800',
  '__proto__',
  'I WANT TO ANSWER:',
  'x'.repeat(5000),
  [],
  {},
  [[[[[[[[[[[[]]]]]]]]]]]],
  { toString: 1, constructor: null },
  Array.from({ length: 500 }, (_, n) => n),
];

const at = fc.nat({ max: 400 });
const by = fc.oneof(fc.constantFrom(...ODD), fc.jsonValue({ maxDepth: 2 }));
const structureOp: fc.Arbitrary<StructureOp> = fc.oneof(
  fc.record({ op: fc.constant('replace' as const), at, by }),
  fc.record({ op: fc.constant('delete' as const), at }),
  fc.record({ op: fc.constant('add' as const), at, key: fc.constantFrom('__proto__', 'constructor', 'type', 'x'), by }),
  fc.record({ op: fc.constant('swap' as const), at, with: at }),
);
const place = fc.nat({ max: 4000 });
const byteOp: fc.Arbitrary<ByteOp> = fc.oneof(
  fc.record({ op: fc.constant('cut' as const), at: place }),
  fc.record({ op: fc.constant('flip' as const), at: place, bit: fc.nat({ max: 7 }) }),
  fc.record({ op: fc.constant('drop' as const), at: place, count: fc.integer({ min: 1, max: 40 }) }),
  fc.record({
    op: fc.constant('insert' as const),
    at: place,
    bytes: fc.array(fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 10, 13, 34, 92, 123, 0xc3, 0xed, 0xf4)), {
      minLength: 1,
      maxLength: 6,
    }),
  }),
  fc.record({ op: fc.constant('repeat' as const), at: place, count: fc.integer({ min: 1, max: 60 }) }),
);

/** Mostly structure, sometimes bytes, sometimes both. */
export function damage(inputs: number): fc.Arbitrary<Damage> {
  return fc.record({
    input: fc.nat({ max: inputs - 1 }),
    structure: fc.array(structureOp, { maxLength: 4 }),
    bytes: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(byteOp, { maxLength: 3 }) },
    ),
  });
}

/** A copy of a JSON value with these changes; places are counted over all members and items, modulo their number. */
export function damaged(value: unknown, ops: readonly StructureOp[]): unknown {
  const root = { value: structuredClone(value) };
  for (const op of ops) {
    const slots = slotsOf(root);
    const slot = slots[op.at % slots.length];
    if (slot === undefined) continue;
    switch (op.op) {
      case 'replace':
        put(slot.holder, slot.key, structuredClone(op.by));
        break;
      case 'delete':
        if (slot.holder !== root) Reflect.deleteProperty(slot.holder, slot.key);
        break;
      case 'add': {
        const target: unknown = Reflect.get(slot.holder, slot.key);
        if (typeof target === 'object' && target !== null && !Array.isArray(target))
          put(target, op.key, structuredClone(op.by));
        break;
      }
      case 'swap': {
        const other = slots[op.with % slots.length];
        if (other === undefined || slot.holder === root || other.holder === root) break;
        const kept: unknown = structuredClone(Reflect.get(slot.holder, slot.key));
        put(slot.holder, slot.key, structuredClone(Reflect.get(other.holder, other.key)));
        put(other.holder, other.key, kept);
        break;
      }
      default:
        op satisfies never;
    }
  }
  return root.value;
}

export function damagedBytes(bytes: Buffer, ops: readonly ByteOp[]): Buffer {
  let out = bytes;
  for (const op of ops) {
    const from = out.length === 0 ? 0 : op.at % out.length;
    switch (op.op) {
      case 'cut':
        out = out.subarray(0, from);
        break;
      case 'flip':
        out = Buffer.from(out);
        if (out.length > 0) out.writeUInt8((out[from] ?? 0) ^ (1 << op.bit), from);
        break;
      case 'drop':
        out = Buffer.concat([out.subarray(0, from), out.subarray(from + op.count)]);
        break;
      case 'insert':
        out = Buffer.concat([out.subarray(0, from), Buffer.from(op.bytes), out.subarray(from)]);
        break;
      case 'repeat':
        out = Buffer.concat([out.subarray(0, from + op.count), out.subarray(from)]);
        break;
      default:
        op satisfies never;
    }
  }
  return out;
}

/** The same value with its keys in another order, `turn` places on, at every level. */
export function reordered(value: unknown, turn: number): unknown {
  if (Array.isArray(value)) return value.map((item) => reordered(item, turn));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, reordered(item, turn)] as const);
  const by = entries.length === 0 ? 0 : turn % entries.length;
  return Object.fromEntries([...entries.slice(by), ...entries.slice(0, by)]);
}

interface Slot {
  readonly holder: object;
  readonly key: string;
}

function slotsOf(holder: object): Slot[] {
  return Object.keys(holder).flatMap((key): Slot[] => {
    const value: unknown = Reflect.get(holder, key);
    return [{ holder, key }, ...(typeof value === 'object' && value !== null ? slotsOf(value) : [])];
  });
}

/** An own member whatever it is called, as `JSON.parse` makes it. */
function put(holder: object, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}
