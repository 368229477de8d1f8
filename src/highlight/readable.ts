import type { ThemeKind } from '../core/theme-kind.ts';

/** Least contrast of text that is no title, after WCAG 2.2, 1.4.3. */
const LEAST_CONTRAST = 4.5;

/** What code stands on in each kind of theme, at its worst: an editor's own theme is made for a plainer ground than a chat's. */
const GROUND: Readonly<Record<ThemeKind, string>> = {
  dark: '#333333',
  light: '#e8e8e8',
  'high-contrast': '#000000',
  'high-contrast-light': '#ffffff',
};

/** A colour, darkened or lightened as little as lets it be read on what code stands on. `#rrggbb` in and out. */
export function readable(colour: string, kind: ThemeKind): string {
  const towards = kind === 'light' || kind === 'high-contrast-light' ? 0 : 255;
  const ground = luminance(channels(GROUND[kind]));
  const parts = channels(colour);
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = parts.map((part) => Math.round(part + (towards - part) * share));
    if (contrast(luminance(mixed), ground) >= LEAST_CONTRAST) return hex(mixed);
  }
  return hex([towards, towards, towards]);
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}

function hex(parts: readonly number[]): string {
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

/** Relative luminance after WCAG 2.2, 0 to 1. */
function luminance(parts: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = parts.map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: number, other: number): number {
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}
