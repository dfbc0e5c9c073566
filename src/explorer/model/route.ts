import { signal } from '@preact/signals';

/** What stands below the tree. */
export type Route =
  | { readonly name: 'overview' }
  | { readonly name: 'block' | 'past' | 'entry' | 'proof' | 'search'; readonly id: string };

const PLACES = ['block', 'past', 'entry', 'proof', 'search'] as const;

export const route = signal<Route>(parse(location.hash));
/** A projector shows large letters, and only what a class needs. */
export const isPresenting = new URLSearchParams(location.search).has('present');

addEventListener('hashchange', () => {
  route.value = parse(location.hash);
});

export function hrefOf(to: Route): string {
  return to.name === 'overview' ? '#/' : `#/${to.name}/${encodeURIComponent(to.id)}`;
}

export function goTo(to: Route): void {
  location.hash = hrefOf(to);
}

function parse(hash: string): Route {
  const [, place, id] = /^#\/(\w+)\/(.+)$/.exec(hash) ?? [];
  const name = PLACES.find((known) => known === place);
  return name === undefined || id === undefined ? { name: 'overview' } : { name, id: decode(id) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
