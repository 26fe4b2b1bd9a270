/** Syntax of DynamoDB's condition, key condition and update expressions. */
export type Operand =
  | { readonly kind: 'path'; readonly path: readonly string[] }
  | { readonly kind: 'value'; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Operand[] }
  | { readonly kind: 'sum'; readonly left: Operand; readonly right: Operand; readonly sign: 1 | -1 };

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly inner: Condition }
  | { readonly kind: 'compare'; readonly operator: string; readonly left: Operand; readonly right: Operand }
  | { readonly kind: 'between'; readonly value: Operand; readonly low: Operand; readonly high: Operand }
  | { readonly kind: 'in'; readonly value: Operand; readonly list: readonly Operand[] }
  | { readonly kind: 'test'; readonly call: Operand };

export interface Update {
  readonly set: readonly { readonly path: readonly string[]; readonly value: Operand }[];
  readonly remove: readonly (readonly string[])[];
  readonly add: readonly { readonly path: readonly string[]; readonly value: Operand }[];
}

const TOKEN = /\s*(<>|<=|>=|[=<>(),.+-]|:[A-Za-z0-9_]+|#[A-Za-z0-9_]+|[A-Za-z_][A-Za-z0-9_]*)/y;
const COMPARATORS = new Set(['=', '<>', '<', '<=', '>', '>=']);

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match?.[1] === undefined) throw new SyntaxError(`expression "${text}": not understood from position ${at}`);
    tokens.push(match[1]);
  }
  return tokens;
}

class Parser {
  readonly #tokens: string[];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokensOf(text);
  }

  get #next(): string {
    return this.#tokens[this.#at] ?? '';
  }

  get ended(): boolean {
    return this.#at >= this.#tokens.length;
  }

  #isWord(word: string): boolean {
    return this.#next.toUpperCase() === word;
  }

  takeWord(word: string): boolean {
    if (!this.#isWord(word)) return false;
    this.#at += 1;
    return true;
  }

  #take(): string {
    const token = this.#next;
    this.#at += 1;
    return token;
  }

  #expect(token: string): void {
    if (this.#take().toUpperCase() !== token) throw new SyntaxError(`expression "${this.#text}": expected ${token}`);
  }

  path(): string[] {
    const path = [this.#take()];
    while (this.#next === '.') {
      this.#at += 1;
      path.push(this.#take());
    }
    return path;
  }

  #term(): Operand {
    if (this.#next.startsWith(':')) return { kind: 'value', name: this.#take() };
    if (this.#tokens[this.#at + 1] === '(') {
      const name = this.#take();
      this.#expect('(');
      const args = this.list();
      this.#expect(')');
      return { kind: 'call', name, args };
    }
    return { kind: 'path', path: this.path() };
  }

  operand(): Operand {
    let left = this.#term();
    while (this.#next === '+' || this.#next === '-') {
      const sign = this.#take() === '+' ? 1 : -1;
      left = { kind: 'sum', left, right: this.#term(), sign };
    }
    return left;
  }

  list(): Operand[] {
    const found = [this.operand()];
    while (this.#next === ',') {
      this.#at += 1;
      found.push(this.operand());
    }
    return found;
  }

  comma(): boolean {
    if (this.#next !== ',') return false;
    this.#at += 1;
    return true;
  }

  expectEquals(): void {
    this.#expect('=');
  }

  condition(): Condition {
    let left = this.#conjunction();
    while (this.takeWord('OR')) left = { kind: 'or', left, right: this.#conjunction() };
    return left;
  }

  #conjunction(): Condition {
    let left = this.#negation();
    while (this.takeWord('AND')) left = { kind: 'and', left, right: this.#negation() };
    return left;
  }

  #negation(): Condition {
    if (this.takeWord('NOT')) return { kind: 'not', inner: this.#negation() };
    if (this.#next === '(') {
      this.#expect('(');
      const inner = this.condition();
      this.#expect(')');
      return inner;
    }
    return this.#comparison();
  }

  #comparison(): Condition {
    const left = this.operand();
    if (COMPARATORS.has(this.#next)) {
      return { kind: 'compare', operator: this.#take(), left, right: this.operand() };
    }
    if (this.takeWord('BETWEEN')) {
      const low = this.operand();
      this.#expect('AND');
      return { kind: 'between', value: left, low, high: this.operand() };
    }
    if (this.takeWord('IN')) {
      this.#expect('(');
      const list = this.list();
      this.#expect(')');
      return { kind: 'in', value: left, list };
    }
    return { kind: 'test', call: left };
  }
}

/** @throws SyntaxError when it is not a condition */
export function parseCondition(text: string): Condition {
  const parser = new Parser(text);
  const condition = parser.condition();
  if (!parser.ended) throw new SyntaxError(`expression "${text}": not understood to its end`);
  return condition;
}

/** @throws SyntaxError when it is not an update */
export function parseUpdate(text: string): Update {
  const parser = new Parser(text);
  const update = { set: [] as Update['set'][number][], remove: [] as string[][], add: [] as Update['add'][number][] };
  while (!parser.ended) {
    if (parser.takeWord('SET')) {
      do {
        const path = parser.path();
        parser.expectEquals();
        update.set.push({ path, value: parser.operand() });
      } while (parser.comma());
    } else if (parser.takeWord('REMOVE')) {
      do update.remove.push(parser.path());
      while (parser.comma());
    } else if (parser.takeWord('ADD')) {
      do update.add.push({ path: parser.path(), value: parser.operand() });
      while (parser.comma());
    } else {
      throw new SyntaxError(`update "${text}": expected SET, REMOVE or ADD`);
    }
  }
  return update;
}
