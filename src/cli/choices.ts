import { Option } from 'commander';

/** A table of the method: names, each with its equation or a few words. */
export type ChoiceTable = Readonly<Record<string, { readonly equation: string }>>;

/** A flag whose values are the names of a table. */
export function choiceOption(flag: string, description: string, table: ChoiceTable): Option {
  return new Option(flag, description).choices(Object.keys(table));
}

/** What `--help` says behind the flags: every name of every table with what it means, straight from the table. */
export function choicesHelp(tables: Readonly<Record<string, ChoiceTable>>): string {
  const names = Object.values(tables).flatMap((table) => Object.keys(table).map(shown));
  const width = Math.max(...names.map((name) => name.length)) + 2;
  return Object.entries(tables)
    .flatMap(([flag, table]) => [
      '',
      `${flag}:`,
      ...Object.entries(table).map(([name, { equation }]) => `  ${shown(name).padEnd(width)}${equation}`),
    ])
    .join('\n');
}

function shown(name: string): string {
  return name === '' || /\s/.test(name) ? JSON.stringify(name) : name;
}
