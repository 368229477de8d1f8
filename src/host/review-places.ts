import { z } from 'zod';
import { reviewPageStateSchema, type ReviewPageState } from '../core/review-protocol.ts';
import type { Memo } from '../store/memo.ts';

/** Reviews that are remembered, the newest first. */
const KEPT = 20;

const placesSchema = z.array(z.object({ title: z.string(), place: reviewPageStateSchema }));

/**
 * Where the reader of each review was, kept in the store the moment it changes: the editor writes down what a page keeps only
 * now and then, and a window that is torn away takes it along.
 */
export class ReviewPlaces {
  readonly #memo: Memo;
  readonly #key: string;

  /** `workspace` names the folder that the window shows. */
  constructor(memo: Memo, workspace: string) {
    this.#memo = memo;
    this.#key = `reviews of ${workspace}`;
  }

  keep(title: string, place: ReviewPageState): void {
    const others = this.#all().filter((other) => other.place.episode !== place.episode);
    const kept = JSON.stringify([{ title, place }, ...others].slice(0, KEPT));
    if (kept !== this.#memo.get(this.#key)) this.#memo.set(this.#key, kept);
  }

  /** Where a panel stood: by what its page kept, else by the title that the editor gives back. Null: nothing is known of it. */
  find(title: string, kept: unknown): ReviewPageState | null {
    const parsed = reviewPageStateSchema.safeParse(kept);
    const all = this.#all();
    if (parsed.success) {
      return all.find(({ place }) => place.episode === parsed.data.episode)?.place ?? parsed.data;
    }
    return all.find((one) => one.title === title)?.place ?? null;
  }

  #all(): z.infer<typeof placesSchema> {
    const kept = this.#memo.get(this.#key);
    if (kept === null) return [];
    try {
      return placesSchema.parse(JSON.parse(kept));
    } catch {
      return [];
    }
  }
}
