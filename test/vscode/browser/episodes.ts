import type { Locator, Page } from 'playwright-core';

/** The tree of episodes, turns and their credit. */
export interface Episodes {
  readonly rows: Locator;
  /** The row of a turn, counted from 1, of the conversation that is open. */
  readonly turn: (number: number) => Locator;
  /** The rows below a turn: advantage, mean, reply. */
  readonly fact: (label: RegExp) => Locator;
  /** A button of the view's title bar; the pointer has to be over the view to see it. */
  readonly press: (action: string) => Promise<void>;
}

export function episodesIn(page: Page): Episodes {
  const pane = page.locator('.pane', { has: page.getByRole('button', { name: /^Episodes/ }) });
  const rows = pane.getByRole('treeitem');
  return {
    rows,
    turn: (number) => pane.getByRole('treeitem', { name: new RegExp(`^Turn ${number}, `) }),
    fact: (label) => rows.filter({ hasText: label }),
    press: async (action) => {
      await pane.locator('.pane-header').hover();
      await pane.getByRole('button', { name: action }).click();
    },
  };
}

/** Gain in a row, with its sign; the editor writes a real minus. */
export function gainIn(text: string): number | null {
  const found = /([+−-]?\d+(?:\.\d+)?)\s*nats/.exec(text) ?? /mean\s*([+−-]?\d+(?:\.\d+)?)/.exec(text);
  return found?.[1] === undefined ? null : Number(found[1].replace('−', '-'));
}
