import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, type SchemaElement } from 'hyparquet';
import { fromParquet } from './parquet-schema.ts';

/** A Parquet file opened for reading. */
export interface ParquetSource {
  readonly schema: readonly SchemaElement[];
  readonly rowCount: number;
  /** Rows as plain JSON, one row group in memory at a time. */
  rows(): AsyncGenerator<unknown, void, void>;
}

/** Opens a Parquet file; throws whatever the reader throws on one that is damaged. */
export async function openParquet(path: string): Promise<ParquetSource> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  return {
    schema: metadata.schema,
    rowCount: Number(metadata.num_rows),
    rows: async function* () {
      let rowStart = 0;
      for (const group of metadata.row_groups) {
        const rowEnd = rowStart + Number(group.num_rows);
        for (const row of await parquetReadObjects({ file, metadata, rowStart, rowEnd })) yield fromParquet(row);
        rowStart = rowEnd;
      }
    },
  };
}
