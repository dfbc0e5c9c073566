/** A line in the list of headers: one of them, or a stretch that is folded. */
export type HeaderRow =
  | { readonly kind: 'header'; readonly height: number }
  | { readonly kind: 'run'; readonly from: number; readonly to: number };

/** So few are shown rather than folded. */
const SHORT_RUN = 2;

/** The headers of these heights, `to` included: those in `shown`, and what is between them folded. */
export function headerRows(from: number, to: number, shown: ReadonlySet<number>): HeaderRow[] {
  const rows: HeaderRow[] = [];
  const fold = (first: number, last: number): void => {
    if (last - first >= SHORT_RUN) rows.push({ kind: 'run', from: first, to: last });
    else for (let height = first; height <= last; height++) rows.push({ kind: 'header', height });
  };
  let next = from;
  for (const height of [...shown].sort((one, other) => one - other)) {
    if (height < next || height > to) continue;
    fold(next, height - 1);
    rows.push({ kind: 'header', height });
    next = height + 1;
  }
  fold(next, to);
  return rows;
}
