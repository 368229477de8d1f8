/** Pairs of letters that make up nine tenths of English and of identifiers, counted over documentation and declarations. */
const USUAL_PAIRS = new Set(
  (
    'abacadagaialamanaparasatauaybabeblbobucacechckclcocrcsctcudadedidndodseaebecedefelemeneperesetevexfafefffifofsgegihahehihohrht' +
    'iaicidieifigiliminioirisitkelalelillloltlulymambmdmemimmmompnancndnengninlnonsntnuobocodofoiolomonoooporosotouowozpapepiplpoprps' +
    'ptrarcrerfrgrirnrorrrsrtruscseshsisospssstsusytatctethtitotptrtstttutyubudueufulumunurusutvaveviwewixtypzi'
  ).match(/../g),
);

/** A drawn text has some fifteen usual pairs in a hundred, a written one more than sixty. */
const MOST_USUAL = 0.4;
/** Pieces shorter than this may look drawn by chance. */
const SHORTEST = 16;

/**
 * Whether a run of letters, digits and `_+/=-` was drawn and not written: the whole of it or one of its pieces. Numbers, hex
 * digits and UUIDs alone are not: they are names of things as often.
 */
export function looksRandom(run: string): boolean {
  if (/^[0-9a-f-]+$/i.test(run)) return false;
  // What is long and uniform is a picture or a program, not a key; what it says once decoded is looked at elsewhere.
  if (run.length > 400) return false;
  if (isDrawn(run) || run.split(/[_+/=-]/).some((piece) => piece.length < run.length && isDrawn(piece))) return true;
  // Behind words that say what it is.
  const label = /^(?:[a-z]{2,12}[_-]){1,3}/i.exec(run)?.[0] ?? '';
  return label !== '' && isDrawn(run.slice(label.length));
}

/** Whether a run is hex digits behind a label (`label-3f2a...`): nobody labels a hash so, but with what kind of hash it is. */
export function looksLabelled(run: string): boolean {
  const [label = '', ...pieces] = run.split(/[-_]/);
  if (!/[g-z]/i.test(label) || /sha|md5|hash|digest|commit|rev|blob|etag|chunk/i.test(run)) return false;
  return pieces.some((piece) => /^[0-9a-f]{24,}$/i.test(piece) && /\d/.test(piece) && /[a-f]/i.test(piece));
}

/** Whether a text of words joined by signs reads like words. */
export function looksWritten(text: string): boolean {
  const { usual, pairs } = count(text);
  return pairs < 4 || usual > MOST_USUAL * pairs;
}

function isDrawn(text: string): boolean {
  const letters = text.replace(/[^A-Za-z0-9]/g, '');
  if (letters.length < SHORTEST || /^[0-9a-f]+$/i.test(letters) || !/[0-9]/.test(letters)) return false;
  // Words written in capitals or with digits behind them are names of constants.
  const { usual, pairs } = count(text);
  return pairs >= SHORTEST - 4 && usual < MOST_USUAL * pairs;
}

/** Neighbouring letters and digits, and how many of these pairs are usual. Signs belong to no pair. */
function count(text: string): { readonly usual: number; readonly pairs: number } {
  let usual = 0;
  let pairs = 0;
  for (let at = 0; at + 1 < text.length; at += 1) {
    const pair = text.slice(at, at + 2);
    if (!/^[A-Za-z0-9]{2}$/.test(pair)) continue;
    // A number says nothing either way.
    if (/^\d\d$/.test(pair)) continue;
    pairs += 1;
    // Where one case follows the other a new word begins, as in camelCase; within a word cases do not change back and forth.
    if (!/\d|[a-z][A-Z]/.test(pair) && USUAL_PAIRS.has(pair.toLowerCase())) usual += 1;
  }
  return { usual, pairs };
}
