import { parser } from '@prometheus-io/lezer-promql';
import type { SyntaxNode } from '@lezer/common';

export interface LabelMatcher {
  readonly label: string;
  readonly op: string;
  readonly value: string;
}

/** One set of series that an expression reads. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly LabelMatcher[];
}

/** Labels by which an expression groups or joins what `selectors` give. */
export interface Grouping {
  readonly labels: readonly string[];
  readonly selectors: readonly Selector[];
}

const COMPARISONS: ReadonlySet<string> = new Set(['Eql', 'Neq', 'Gtr', 'Gte', 'Lss', 'Lte']);

/** A PromQL expression, taken apart as far as checks of dashboards and alerts need it. */
export class PromQuery {
  readonly #root: SyntaxNode;

  /** @throws Error that names the first place that cannot be read. */
  constructor(readonly expr: string) {
    this.#root = parser.parse(expr).topNode;
    for (const node of descendants(this.#root)) {
      if (!node.type.isError) continue;
      throw new Error(
        `not PromQL at character ${node.from}: ${expr.slice(node.from) || 'it ends too early'} (${expr})`,
      );
    }
  }

  get selectors(): Selector[] {
    return this.#selectorsIn(this.#root);
  }

  get groupings(): Grouping[] {
    return [...descendants(this.#root)]
      .filter(({ name }) => name === 'GroupingLabels')
      .map((node) => ({
        labels: node.getChildren('LabelName').map((label) => this.#text(label)),
        // By way of the modifier or matching clause, to what it modifies.
        selectors: this.#selectorsIn(node.parent!.parent!),
      }));
  }

  /** The expression without its thresholds: what an alert watches, whether or not there is anything to say. */
  get measured(): string {
    return this.#measured(this.#root.firstChild!);
  }

  #measured(node: SyntaxNode): string {
    if (node.name === 'ParenExpr') return `(${this.#measured(node.firstChild!)})`;
    if (node.name !== 'BinaryExpr') return this.#text(node);
    const [left, operator, right] = [node.firstChild!, node.firstChild!.nextSibling!, node.lastChild!];
    if (COMPARISONS.has(operator.name) && right.name === 'NumberDurationLiteral') return this.#measured(left);
    // What is let through only where something else is not, is there without it.
    if (operator.name === 'Unless') return this.#measured(left);
    const between = this.expr.slice(left.to, right.from);
    return `${this.#measured(left)}${between}${this.#measured(right)}`;
  }

  #selectorsIn(node: SyntaxNode): Selector[] {
    return [...descendants(node)]
      .filter(({ name }) => name === 'VectorSelector')
      .map((selector) => {
        const metric = selector.getChild('Identifier');
        if (metric === null) throw new Error(`a selector without a metric's name: ${this.#text(selector)}`);
        const matchers = selector.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
        return { metric: this.#text(metric), matchers: matchers.map((matcher) => this.#matcher(matcher)) };
      });
  }

  #matcher(node: SyntaxNode): LabelMatcher {
    const [label, op, value] = ['LabelName', 'MatchOp', 'StringLiteral'].map((name) =>
      this.#text(node.getChild(name)!),
    );
    return { label: label!, op: op!, value: JSON.parse(value!) as string };
  }

  #text({ from, to }: SyntaxNode): string {
    return this.expr.slice(from, to);
  }
}

function* descendants(node: SyntaxNode): Iterable<SyntaxNode> {
  yield node;
  for (let child = node.firstChild; child !== null; child = child.nextSibling) yield* descendants(child);
}
