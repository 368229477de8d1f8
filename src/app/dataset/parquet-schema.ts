import type { SchemaElement } from 'hyparquet';
import { z } from 'zod';

/**
 * The Parquet schema of a zod object, in preorder as the format wants it: lists in three levels, nullable is OPTIONAL, the
 * rest REQUIRED. Throws on a type that rows do not use.
 */
export function parquetSchema(row: z.ZodObject): SchemaElement[] {
  const columns = fieldsOf(row);
  return [{ name: 'root', num_children: columns.length }, ...columns.flatMap(([name, type]) => elements(name, type))];
}

/** The columns of a row, or the fields of a struct, in their order. */
export function fieldsOf(type: z.ZodObject): [name: string, type: z.core.$ZodType][] {
  return Object.entries<z.core.$ZodType>(type.shape);
}

function elements(name: string, type: z.core.$ZodType, repetition_type: Repetition = 'REQUIRED'): SchemaElement[] {
  if (type instanceof z.ZodNullable) return elements(name, type.unwrap(), 'OPTIONAL');
  if (type instanceof z.ZodObject) {
    const fields = fieldsOf(type);
    return [
      { name, repetition_type, num_children: fields.length },
      ...fields.flatMap(([key, field]) => elements(key, field)),
    ];
  }
  if (type instanceof z.ZodArray) {
    return [
      { name, repetition_type, converted_type: 'LIST', num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      ...elements('element', type.element),
    ];
  }
  return [{ name, repetition_type, ...leaf(name, type) }];
}

type Repetition = 'REQUIRED' | 'OPTIONAL';
type Leaf = Pick<SchemaElement, 'type' | 'converted_type'>;

const TEXT: Leaf = { type: 'BYTE_ARRAY', converted_type: 'UTF8' };

function leaf(name: string, type: z.core.$ZodType): Leaf {
  if (isTimestamp(type)) return { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' };
  if (type instanceof z.ZodString || type instanceof z.ZodEnum || type instanceof z.ZodUnion) return TEXT;
  if (type instanceof z.ZodBoolean) return { type: 'BOOLEAN' };
  if (type instanceof z.ZodLiteral) {
    return [...type.values].every((value) => typeof value === 'string')
      ? TEXT
      : { type: 'INT32', converted_type: 'INT_8' };
  }
  if (type instanceof z.ZodNumberFormat || type instanceof z.ZodNumber) {
    switch (type.format) {
      case 'int32':
        return { type: 'INT32' };
      case 'safeint':
        return { type: 'INT64' };
      case 'float32':
        return { type: 'FLOAT' };
      case null:
        return { type: 'DOUBLE' };
    }
  }
  throw new Error(`no Parquet type for ${name}`);
}

/**
 * A value of a column as the Parquet writer takes it: bigints for 64-bit integers, dates for timestamps. The way back is
 * `fromParquet`.
 */
export function toParquet(value: unknown, type: z.core.$ZodType): unknown {
  if (value === null || value === undefined) return null;
  if (type instanceof z.ZodNullable) return toParquet(value, type.unwrap());
  if (type instanceof z.ZodArray && Array.isArray(value)) {
    const { element } = type;
    return passesThrough(element) ? value : value.map((item) => toParquet(item, element));
  }
  if (type instanceof z.ZodObject) {
    return Object.fromEntries(
      fieldsOf(type).map(([key, field]) => [key, toParquet(Reflect.get(Object(value), key), field)]),
    );
  }
  if (isTimestamp(type)) return new Date(Number(value));
  return passesThrough(type) ? value : BigInt(Number(value));
}

/** A value as the Parquet reader gives it, as plain JSON: nulls for what is absent, numbers for bigints and dates. */
export function fromParquet(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.getTime();
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, fromParquet);
  if (Array.isArray(value)) return value.map(fromParquet);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, fromParquet(field)]));
}

function passesThrough(type: z.core.$ZodType): boolean {
  if (type instanceof z.ZodNullable) return passesThrough(type.unwrap());
  if (type instanceof z.ZodObject || type instanceof z.ZodArray || isTimestamp(type)) return false;
  return !(type instanceof z.ZodNumber && type.format === 'safeint');
}

function isTimestamp(type: z.core.$ZodType): boolean {
  return z.globalRegistry.get(type)?.['parquet'] === 'timestamp';
}
