// The words of the extension that a translation may replace: what the host hands to `vscode.l10n.t`, and what a page hands to `t`
// of src/webview/l10n.ts. `npm run l10n` writes them to l10n/bundle.l10n.json and says what each translation lacks.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '..');
const BUNDLE = join(root, 'l10n/bundle.l10n.json');

/** Where words for people are written: the zones that may speak to them. */
const SPEAKERS = ['src/extension.ts', 'src/host', 'src/webview'];

/**
 * Every message that is handed to `l10n.t` or `t`, sorted, and the places where something else than one literal is.
 * @param {string} [folder]
 * @returns {{ words: string[], wrong: string[] }}
 */
export function wordsInSource(folder = root) {
  /** @type {Set<string>} */
  const words = new Set();
  /** @type {string[]} */
  const wrong = [];
  for (const file of SPEAKERS.flatMap((path) => sourcesBelow(join(folder, path)))) {
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
    /** @param {ts.Node} node */
    const visit = (node) => {
      if (ts.isCallExpression(node) && isTranslation(node.expression)) {
        const [message] = node.arguments;
        if (message !== undefined && ts.isStringLiteralLike(message)) words.add(message.text);
        else {
          const { line } = source.getLineAndCharacterOfPosition(node.getStart());
          wrong.push(`${relative(folder, file)}:${line + 1}: ${node.getText().slice(0, 60)}`);
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return { words: [...words].sort(), wrong };
}

/** The translations that stand in the repository, by language. @returns {string[]} */
export const languages = () =>
  readdirSync(join(root, 'l10n')).flatMap((name) => /^bundle\.l10n\.([\w-]+)\.json$/.exec(name)?.[1] ?? []);

/**
 * What a translation lacks, has too much, or says with other placeholders than the English.
 * @param {Readonly<Record<string, string>>} english @param {Readonly<Record<string, string>>} translated
 * @returns {string[]}
 */
export function gapsOf(english, translated) {
  return [
    ...Object.keys(english)
      .filter((key) => !translated[key])
      .map((key) => `missing: ${JSON.stringify(key)}: ${JSON.stringify(english[key])}`),
    ...Object.keys(translated)
      .filter((key) => english[key] === undefined)
      .map((key) => `no longer said: ${JSON.stringify(key)}`),
    ...Object.entries(translated)
      .filter(([key, text]) => english[key] !== undefined && marksOf(text) !== marksOf(english[key]))
      .map(([key]) => `other placeholders, links or icons: ${JSON.stringify(key)}`),
  ];
}

/** Placeholders, links to commands and icons: what a translation has to keep. @param {string} text */
const marksOf = (text) => (text.match(/\{\w+\}|\(command:[^)]*\)|\$\([\w~-]+\)/g) ?? []).sort().join(' ');

/** @param {string} path @returns {Record<string, string>} */
export const readWords = (path) =>
  existsSync(join(root, path)) ? JSON.parse(readFileSync(join(root, path), 'utf8')) : {};

/** `vscode.l10n.t(...)` of the host, `t(...)` of a page. @param {ts.Expression} callee */
function isTranslation(callee) {
  if (ts.isIdentifier(callee)) return callee.text === 't';
  return (
    ts.isPropertyAccessExpression(callee) && callee.name.text === 't' && /(^|\.)l10n$/.test(callee.expression.getText())
  );
}

/** @param {string} path @returns {string[]} */
function sourcesBelow(path) {
  if (path.endsWith('.ts')) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(path, name));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { words, wrong } = wordsInSource();
  const english = Object.fromEntries(words.map((word) => [word, word]));
  writeFileSync(BUNDLE, `${JSON.stringify(english, null, 2)}\n`);
  for (const line of wrong) console.log(`not one literal: ${line}`);
  for (const language of languages()) {
    const gaps = [
      ...gapsOf(readWords('package.nls.json'), readWords(`package.nls.${language}.json`)),
      ...gapsOf(english, readWords(`l10n/bundle.l10n.${language}.json`)),
    ];
    console.log([`${language}: ${gaps.length === 0 ? 'complete' : `${gaps.length} gaps`}`, ...gaps].join('\n  '));
  }
}
