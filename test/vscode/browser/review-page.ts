import type { Frame, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** A review as a person sees it. */
export interface ReviewPage {
  readonly frame: Frame;
  /** The row of a turn, counted from 1. */
  readonly row: (number: number) => Locator;
  /** A number of that row as it is written: `total`, `mean` or `advantage`. */
  readonly figure: (number: number, name: string) => Promise<string>;
  readonly detail: Locator;
  readonly tab: (name: string) => Promise<void>;
}

/** The review that is in front in a window; several may be open. */
export async function reviewIn(page: Page, title: string | RegExp): Promise<ReviewPage> {
  const found = async (): Promise<Frame | null> => {
    for (const frame of page.frames()) {
      const heading = frame.locator('tw-review').getByRole('heading', { level: 1 }).filter({ hasText: title });
      if (await heading.isVisible().catch(() => false)) return frame;
    }
    return null;
  };
  // Looked at once: it may be gone at the next look.
  const seen: Frame[] = [];
  await expect
    .poll(async () => {
      const frame = await found();
      if (frame !== null) seen.push(frame);
      return seen.length;
    })
    .toBeGreaterThan(0);
  return reviewOf(seen[0] ?? expect.fail('no review'));
}

function reviewOf(frame: Frame): ReviewPage {
  const row = (number: number): Locator => frame.locator(`#turn-${number - 1}`);
  return {
    frame,
    row,
    // What is out of sight is laid out later, and has no inner text.
    figure: async (number, name) => ((await row(number).locator(`[data-figure="${name}"]`).textContent()) ?? '').trim(),
    detail: frame.locator('tw-turn-detail'),
    tab: async (name) => {
      await frame.getByRole('tab', { name }).click();
    },
  };
}
