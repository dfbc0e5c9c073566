import { signal } from '@preact/signals';

/** A question to the reader, which the dialog shows. */
export interface TokenQuestion {
  /** Of the node that wants its token. */
  readonly origin: string;
  /** Whether the node has just refused a token. */
  readonly isWrong: boolean;
  /** Undefined where the reader gives none. */
  readonly answer: (token: string | undefined) => void;
}

/** What the dialog asks now. */
export const tokenQuestion = signal<TokenQuestion | undefined>(undefined);

/** The last token that each node was sent, by origin. In memory only. */
const tokens = signal<ReadonlyMap<string, string>>(new Map());
/** Nodes of one operator often share their token: the reader types it once. */
let latest: string | undefined;
let asking: Promise<unknown> = Promise.resolve();

/** What a write to this node has to carry, as far as is known. A node that never asked for a token gets none. */
export function tokenOf(origin: string): string | undefined {
  return tokens.value.get(origin);
}

/**
 * What to send to a node that refused a write with 401: the token that another node took, if it was not tried here, and
 * otherwise what the reader answers. One question at a time.
 * @param refused the token that was sent; undefined if there was none.
 */
export function tokenAfterRefusal(origin: string, refused: string | undefined): Promise<string | undefined> {
  const turn = asking.then(async () => {
    const known = tokens.peek().get(origin) ?? latest;
    // Another request may have got an answer meanwhile.
    const token = known !== undefined && known !== refused ? known : await ask(origin, refused !== undefined);
    const rest = [...tokens.peek()].filter(([other]) => other !== origin);
    tokens.value = new Map(token === undefined ? rest : [...rest, [origin, token]]);
    latest = token;
    return token;
  });
  asking = turn;
  return turn;
}

function ask(origin: string, isWrong: boolean): Promise<string | undefined> {
  return new Promise((resolve) => {
    const answer = (token: string | undefined): void => {
      tokenQuestion.value = undefined;
      resolve(token);
    };
    tokenQuestion.value = { origin, isWrong, answer };
  });
}
