import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';

/** A way to look up pages by number, from 1. */
export type Pages = (page: number) => Buffer | null;

/** What lies in a store's files, page by page, whatever SQLite would say to it. */
export interface PageFile {
  readonly pageSize: number;
  /** Bytes of a page that hold content. */
  readonly usable: number;
  /** Pages of the file itself. */
  readonly count: number;
  readonly file: Pages;
  /** The same with what the write-ahead log has committed over it. */
  readonly latest: Pages;
  /** Every page that stands in a committed part of the log, oldest first. */
  readonly logged: readonly Buffer[];
  close(): void;
}

const HEADER = 100;
const DEFAULT_PAGE = 4096;
const WAL_HEADER = 32;
const FRAME_HEADER = 24;

/** Opens a store for page-wise reading. A header that is destroyed is replaced by what every store of ours has. */
export function openPages(path: string): PageFile {
  const handle = openSync(path, 'r');
  const header = Buffer.alloc(HEADER);
  readSync(handle, header, 0, HEADER, 0);
  const pageSize = pageSizeIn(header);
  const count = Math.ceil(statSync(path).size / pageSize);
  const file: Pages = (page) => {
    if (!Number.isInteger(page) || page < 1 || page > count) return null;
    const bytes = Buffer.alloc(pageSize);
    return readSync(handle, bytes, 0, pageSize, (page - 1) * pageSize) === 0 ? null : bytes;
  };
  const frames = committedFrames(`${path}-wal`, pageSize);
  const newest = new Map(frames.map(({ page, bytes }) => [page, bytes]));
  return {
    pageSize,
    usable: pageSize - (isHeader(header) ? header.readUInt8(20) : 0),
    count,
    file,
    latest: (page) => newest.get(page) ?? file(page),
    logged: frames.map(({ bytes }) => bytes),
    close: () => {
      closeSync(handle);
    },
  };
}

function isHeader(header: Buffer): boolean {
  return header.subarray(0, 16).toString('latin1') === 'SQLite format 3\0';
}

function pageSizeIn(header: Buffer): number {
  if (!isHeader(header)) return DEFAULT_PAGE;
  const raw = header.readUInt16BE(16);
  const size = raw === 1 ? 65_536 : raw;
  return size >= 512 && Number.isInteger(Math.log2(size)) ? size : DEFAULT_PAGE;
}

/**
 * Pages of the log up to its last commit. Frames of an earlier life of the log carry other salts. The running checksums are
 * not asked: one damaged frame would cost all that follow it, and every row that is taken from a page proves itself.
 */
function committedFrames(path: string, pageSize: number): { page: number; bytes: Buffer }[] {
  if (!existsSync(path)) return [];
  const log = readFileSync(path);
  if (log.length < WAL_HEADER) return [];
  const salts = log.subarray(16, 24);
  const frames: { page: number; bytes: Buffer }[] = [];
  let committed = 0;
  for (let at = WAL_HEADER; at + FRAME_HEADER + pageSize <= log.length; at += FRAME_HEADER + pageSize) {
    if (!log.subarray(at + 8, at + 16).equals(salts)) continue;
    frames.push({ page: log.readUInt32BE(at), bytes: log.subarray(at + FRAME_HEADER, at + FRAME_HEADER + pageSize) });
    if (log.readUInt32BE(at + 4) > 0) committed = frames.length;
  }
  return frames.slice(0, committed);
}
