/** Evaluates arithmetic with + - * /, parentheses, min, max, exp and expm1, left to right as JavaScript does; throws on anything else. */
export function evaluate(expression: string): number {
  const tokens = expression.match(/\d+(?:\.\d+)?(?:e[+-]?\d+)?|[a-z][a-z0-9]*|[-+*/(),]|\S/g) ?? [];
  let at = 0;
  const take = (): string => {
    const token = tokens[at];
    if (token === undefined) throw new Error(`"${expression}" ends too early`);
    at += 1;
    return token;
  };
  const expectToken = (wanted: string): void => {
    const token = take();
    if (token !== wanted) throw new Error(`"${token}" where "${wanted}" belongs in "${expression}"`);
  };

  const sum = (): number => {
    let value = product();
    while (tokens[at] === '+' || tokens[at] === '-') value = take() === '+' ? value + product() : value - product();
    return value;
  };
  const product = (): number => {
    let value = factor();
    while (tokens[at] === '*' || tokens[at] === '/') value = take() === '*' ? value * factor() : value / factor();
    return value;
  };
  const factor = (): number => {
    const token = take();
    if (token === '-') return -factor();
    if (token === '(') return closed(sum());
    const call = FUNCTIONS.get(token);
    if (call === undefined) return numberOf(token);
    expectToken('(');
    const values = [sum()];
    while (tokens[at] === ',') {
      take();
      values.push(sum());
    }
    return closed(call(...values));
  };
  const closed = (value: number): number => {
    expectToken(')');
    return value;
  };
  const value = sum();
  if (at < tokens.length) throw new Error(`"${tokens[at] ?? ''}" is left over in "${expression}"`);
  return value;
}

const FUNCTIONS: ReadonlyMap<string, (...values: number[]) => number> = new Map([
  ['min', Math.min],
  ['max', Math.max],
  ['exp', Math.exp],
  ['expm1', Math.expm1],
]);

function numberOf(token: string): number {
  const value = Number(token);
  if (Number.isNaN(value)) throw new Error(`"${token}" is no number`);
  return value;
}
