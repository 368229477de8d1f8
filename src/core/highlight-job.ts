import { z } from 'zod';
import { LANGUAGES } from './guess-language.ts';
import { themeKindSchema } from './theme-kind.ts';
import { highlightSchema, MOST_HIGHLIGHTED } from './webview-protocol.ts';

/** What the thread that colours code is asked. */
export const highlightJobSchema = z.object({
  id: z.int(),
  language: z.enum(LANGUAGES),
  theme: themeKindSchema,
  code: z.string().max(MOST_HIGHLIGHTED),
});
export type HighlightJob = z.infer<typeof highlightJobSchema>;

/** What it answers; null: this could not be coloured. */
export const highlightAnswerSchema = z.object({ id: z.int(), highlight: highlightSchema.nullable() });
export type HighlightAnswer = z.infer<typeof highlightAnswerSchema>;
