import { nothing } from 'lit';
import { Directive, directive, type ElementPart, type PartInfo, PartType } from 'lit/directive.js';

class VarsDirective extends Directive {
  #wanted: Readonly<Record<string, number>> = {};
  #set: Readonly<Record<string, number>> = {};

  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.ELEMENT) throw new Error('vars() stands on an element.');
  }

  override render(values: Readonly<Record<string, number>>): typeof nothing {
    this.#wanted = values;
    return nothing;
  }

  override update({ element }: ElementPart, [values]: [Readonly<Record<string, number>>]): typeof nothing {
    // Through the object model: the page's policy refuses style attributes.
    if (element instanceof HTMLElement || element instanceof SVGElement) {
      for (const [name, value] of Object.entries(values)) {
        if (this.#set[name] !== value) element.style.setProperty(`--${name}`, String(value));
      }
    }
    this.render(values);
    this.#set = this.#wanted;
    return nothing;
  }
}

/** Sets CSS variables of an element: names without dashes, plain numbers. What did not change is not touched. */
export const vars = directive(VarsDirective);
