import { open } from 'node:fs/promises';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { z } from 'zod';
import { fieldsOf, parquetSchema, toParquet } from './parquet-schema.ts';

/** Values (tokens and numbers, roughly) that a row group holds at most; what bounds the memory of a writer and of a reader. */
const GROUP_WEIGHT = 250_000;

/** A Parquet file that takes its rows one by one and holds no more than a row group of them. */
export interface ParquetFile<T> {
  write(row: T): Promise<void>;
  /** Writes what is pending and the footer, and flushes to the disk. */
  finish(): Promise<void>;
  /** Ends without a footer; the file is then to be thrown away. */
  abandon(): Promise<void>;
}

/**
 * Creates a Parquet file with the columns of `schema`. `weight` says how much a row adds to the row group, which is written out
 * when it holds `groupWeight`. The bytes depend on the rows alone.
 */
export async function createParquet<T extends object>(
  path: string,
  schema: z.ZodObject,
  {
    weight,
    groupWeight = GROUP_WEIGHT,
  }: { readonly weight: (row: T) => number; readonly groupWeight?: number | undefined },
): Promise<ParquetFile<T>> {
  const handle = await open(path, 'wx');
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({ writer: bytes, schema: parquetSchema(schema), createdBy: 'turnwise' });
  const columns = fieldsOf(schema);
  let pending: T[] = [];
  let pendingWeight = 0;

  async function drain(): Promise<void> {
    // `write` may stop early; `writeFile` goes on until all is written.
    await handle.writeFile(bytes.getBytes());
    // The writer keeps counting in `offset`; only its buffer starts anew.
    bytes.index = 0;
  }
  async function writeGroup(): Promise<void> {
    if (pending.length === 0) return;
    const rows = pending;
    pending = [];
    pendingWeight = 0;
    const columnData = columns.map(([name, type]) => ({
      name,
      data: rows.map((row) => toParquet(Reflect.get(row, name), type)),
    }));
    await writer.write({ columnData, rowGroupSize: rows.length });
    await drain();
  }
  return {
    write: async (row) => {
      pending.push(row);
      pendingWeight += weight(row);
      if (pendingWeight >= groupWeight) await writeGroup();
    },
    finish: async () => {
      await writeGroup();
      await writer.finish();
      await drain();
      await handle.sync();
      await handle.close();
    },
    abandon: () => handle.close(),
  };
}
