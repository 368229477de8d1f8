import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { errorText } from '../core/error.ts';
import { readGgufHeader, type GgufHeader } from './gguf.ts';

/** What the header of a model file says, and why the engine cannot take it (null: nothing there speaks against it). */
export interface InspectedModel {
  readonly name: string;
  readonly architecture: string;
  /** Tokens that it was trained on at once; null where it does not say. */
  readonly context: number | null;
  readonly unfit: string | null;
}

/** A header is a few MB, most of it the vocabulary; one longer than this, bytes, is none. */
const LONGEST_HEADER = 256 * 2 ** 20;
const FIRST_READ = 16 * 2 ** 20;
const MAGIC = 'GGUF';
const ANOTHER = 'choose a GGUF of a language model that chats.';

/** Reads the beginning of a file, as far as its header goes. Nothing is thrown: what is wrong is said in `unfit`. */
export async function inspectGguf(path: string): Promise<InspectedModel> {
  const file = basename(path);
  const none = { name: file, architecture: '', context: null };
  try {
    const header = await headerOf(path);
    if (typeof header === 'string') return { ...none, unfit: `${file} ${header}` };
    const facts = factsOf(header, file);
    const why = unfitness(header, facts.architecture);
    return { ...facts, unfit: why === null ? null : `${file} ${why}` };
  } catch (thrown) {
    return { ...none, unfit: `${file} cannot be read (${errorText(thrown)}); choose another file.` };
  }
}

async function headerOf(path: string): Promise<GgufHeader | string> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    for (let length = FIRST_READ; ; length *= 4) {
      const wanted = Math.min(length, size, LONGEST_HEADER);
      const beginning = Buffer.alloc(wanted);
      await handle.read(beginning, 0, wanted, 0);
      if (beginning.toString('latin1', 0, 4) !== MAGIC) return `is no GGUF file; ${ANOTHER}`;
      const version = beginning.length < 8 ? 0 : beginning.readUInt32LE(4);
      if (version < 2 || version > 3)
        return `is of GGUF version ${version}, which the engine cannot read; convert it anew.`;
      try {
        return readGgufHeader(beginning);
      } catch (thrown) {
        if (!(thrown instanceof RangeError)) throw thrown;
        if (wanted === size || wanted === LONGEST_HEADER) {
          return 'ends in the middle of its header; fetch it again, it was not copied whole.';
        }
      }
    }
  } finally {
    await handle.close();
  }
}

function factsOf({ metadata }: GgufHeader, file: string): Pick<InspectedModel, 'name' | 'architecture' | 'context'> {
  const architecture = textOf(metadata.get('general.architecture')) ?? '';
  const context = metadata.get(`${architecture}.context_length`);
  return {
    name: textOf(metadata.get('general.name')) ?? file.replace(/\.gguf$/i, ''),
    architecture,
    context: typeof context === 'number' && context > 0 ? context : null,
  };
}

function unfitness({ metadata, tensors }: GgufHeader, architecture: string): string | null {
  if (architecture === '') return `does not say what kind of model it holds; ${ANOTHER}`;
  if (architecture === 'clip' || tensors.every(({ name }) => !name.startsWith('token_embd'))) {
    return `holds no language model (${architecture}); ${ANOTHER}`;
  }
  if (metadata.get('tokenizer.ggml.model') === undefined) return `brings no tokenizer; ${ANOTHER}`;
  if (typeof metadata.get('tokenizer.chat_template') !== 'string') {
    return 'brings no chat template, so it is a base model that cannot chat; choose an instruct model.';
  }
  return null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
