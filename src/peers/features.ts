import type { BodyCase } from './messages.js';

/**
 * The features that this version names in its Hello, each with the bodies that only peers with that feature may be sent.
 * Bodies in no feature belong to the first version of the protocol; `Unsupported` is sent only to peers that already
 * know more than this node. A body that is added to the protocol must be listed here.
 */
export const FEATURES = {
  /** Ignores bodies that it does not know, and answers requests of such a kind with Unsupported. */
  unsupported: [],
} as const satisfies Readonly<Record<string, readonly BodyCase[]>>;

export type Feature = keyof typeof FEATURES;

export const FEATURE_NAMES = Object.keys(FEATURES) as readonly Feature[];

const MAX_FEATURES = 64;
const FEATURE_PATTERN = /^[a-z0-9.-]{1,32}$/;

const FEATURE_OF: ReadonlyMap<BodyCase, Feature> = new Map(
  FEATURE_NAMES.flatMap((feature) => FEATURES[feature].map((kind: BodyCase) => [kind, feature] as const)),
);

/** The feature that a peer must have before this body may be sent to it; undefined if every peer knows the body. */
export function featureOf(kind: BodyCase): Feature | undefined {
  return FEATURE_OF.get(kind);
}

/** The feature names of a peer's Hello, those that this version does not know too. Names out of bounds are left out. */
export function readFeatures(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.filter((name) => FEATURE_PATTERN.test(name)).slice(0, MAX_FEATURES));
}
