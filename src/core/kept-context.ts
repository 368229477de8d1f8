import { z } from 'zod';
import { MAX_ATTACHMENTS, type Attachment } from './context-text.ts';

const place = z.int().positive();
const attachmentSchema = z.object({
  path: z.string().min(1),
  range: z.object({ from: place, to: place, columns: z.object({ from: place, to: place }).nullable() }).nullable(),
  text: z.string(),
}) satisfies z.ZodType<Attachment>;

const keptContextSchema = z.object({
  /** Address of the open file that goes along; null: it does not. */
  active: z.string().nullable(),
  items: z
    .array(
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('file'), uri: z.string().min(1) }),
        z.object({ kind: z.literal('selection'), attachment: attachmentSchema }),
      ]),
    )
    .max(MAX_ATTACHMENTS)
    .readonly(),
});

/** What waits beside the words that are not sent yet: files by their address, selections with what was selected. */
export type KeptContext = z.infer<typeof keptContextSchema>;

const NOTHING: KeptContext = { active: null, items: [] };

/** As it is kept over a reload; null: there is nothing to keep. */
export function keptContextText(context: KeptContext): string | null {
  return context.active === null && context.items.length === 0 ? null : JSON.stringify(context);
}

/** Reads it back; what cannot be read is nothing. */
export function readKeptContext(text: string | null): KeptContext {
  if (text === null) return NOTHING;
  try {
    return keptContextSchema.parse(JSON.parse(text));
  } catch {
    return NOTHING;
  }
}
