import { z } from 'zod';

/** The kinds of colour theme that an editor has. */
export const themeKindSchema = z.enum(['dark', 'light', 'high-contrast', 'high-contrast-light']);
export type ThemeKind = z.infer<typeof themeKindSchema>;
