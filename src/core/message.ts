import { z } from 'zod';

/** One message as a chat template takes it; unknown keys (a tool call's id, say) pass through to the template. */
export const messageSchema = z.looseObject({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string(),
});
export type Message = z.infer<typeof messageSchema>;
