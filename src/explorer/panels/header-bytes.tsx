import { useState } from 'preact/hooks';
import type { JSX } from 'preact';
import type { Block } from '../../consensus/block.js';
import { loadConsensus } from '../browser/load-consensus.js';
import { useAnswer } from '../ui/use-answer.js';

interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly value: string;
  readonly about: string;
}

const FIELD_COUNT = 6;

function fieldsOf({ header }: Block): readonly Field[] {
  const time = new Date(header.time * 1_000).toISOString().replace('.000Z', ' UTC').replace('T', ' ');
  return [
    {
      name: 'version',
      from: 0,
      to: 4,
      value: String(header.version),
      about: 'A number, least byte first, as all numbers here. No rule depends on it.',
    },
    {
      name: 'previous hash',
      from: 4,
      to: 36,
      value: header.previousHash,
      about:
        'The hash of the parent: this is the chain. Change one letter in an old block, and its hash, and so every header after it, is another. Shown reversed, as Bitcoin does.',
    },
    {
      name: 'Merkle root',
      from: 36,
      to: 68,
      value: header.merkleRoot,
      about: 'One hash that all entries are hashed together into, two by two. It ties the entries to these 80 bytes.',
    },
    {
      name: 'time',
      from: 68,
      to: 72,
      value: `${header.time} (${time})`,
      about: "Seconds since 1970, by the miner's clock. It must be after the median of the last 11 blocks.",
    },
    {
      name: 'bits',
      from: 72,
      to: 76,
      value: header.bits.toString(16).padStart(8, '0'),
      about: 'The target, in short form: the first digit pair is a length, the other three are its leading digits.',
    },
    {
      name: 'nonce',
      from: 76,
      to: 80,
      value: String(header.nonce),
      about: 'What miners change. They try number after number, until the hash of the 80 bytes is at most the target.',
    },
  ];
}

/** The header as it is hashed; each field is explained, one at a time. */
export function HeaderBytes({ block }: { readonly block: Block }): JSX.Element {
  const [chosen, setChosen] = useState(FIELD_COUNT - 1);
  const fields = fieldsOf(block);
  const field = fields[chosen]!;
  return (
    <div class="header-bytes">
      <div class="bytes" role="group" aria-label="The 80 bytes of the header">
        {fields.map(({ name, from, to }, i) => {
          const bytes = [...block.bytes.subarray(from, to)].map((byte) => byte.toString(16).padStart(2, '0'));
          return (
            <button
              key={name}
              type="button"
              class={`field field-${i}`}
              aria-pressed={i === chosen}
              aria-label={`${name}, bytes ${from} to ${to - 1}: ${bytes.join('')}`}
              onClick={() => setChosen(i)}
              onFocus={() => setChosen(i)}
              onPointerEnter={() => setChosen(i)}
            >
              {bytes.map((byte, n) => (
                <span key={n}>{byte}</span>
              ))}
            </button>
          );
        })}
      </div>
      <div class={`about-field field-${chosen}`}>
        <h3>
          {field.name}{' '}
          <span class="faint">
            bytes {field.from} to {field.to - 1}
          </span>
        </h3>
        <p class="hash">{field.value}</p>
        <p>{field.about}</p>
      </div>
    </div>
  );
}

/** Hash and target, digit under digit: the hash is computed here, from the bytes. */
export function HashAgainstTarget({ block }: { readonly block: Block }): JSX.Element | null {
  const { value } = useAnswer(block.hash, async () => {
    const rules = await loadConsensus();
    const target = rules.targetOf(block.header.bits) ?? 0n;
    const hash = rules.hash256(rules.encodeHeader(block.header));
    return { hash, target: target.toString(16).padStart(64, '0'), isWithin: BigInt(`0x${hash}`) <= target };
  });
  if (value === undefined) return null;
  const { hash, target, isWithin } = value;
  const isGenesis = BigInt(`0x${block.header.previousHash}`) === 0n;
  let first = 0;
  while (first < 63 && hash[first] === target[first]) first++;
  return (
    <figure class="against">
      <HashLine name="hash" digits={hash} first={first} />
      <HashLine name="target" digits={target} first={first} />
      <figcaption class={isWithin ? 'good' : isGenesis ? '' : 'bad'}>
        {isWithin
          ? `The hash is at most the target: ${hash[first]} is less than ${target[first]} at digit ${first + 1}. That is the proof of work.`
          : isGenesis
            ? 'The genesis needs no proof of work: every node derives it from the parameters.'
            : 'The hash is above the target (high-hash).'}
      </figcaption>
    </figure>
  );
}

function HashLine({ name, digits, first }: { name: string; digits: string; first: number }): JSX.Element {
  return (
    <p>
      <span class="name">{name}</span>
      <span class="digits">
        <span class="same">{digits.slice(0, first)}</span>
        <b>{digits.slice(first, first + 1)}</b>
        {digits.slice(first + 1)}
      </span>
    </p>
  );
}
