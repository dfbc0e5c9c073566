const isRoot = process.getuid?.() === 0;

/** Command that runs another one: root may write anywhere, but not by this, where file modes count for it as for anybody. */
export const WITHOUT_OVERRIDE: readonly string[] = isRoot
  ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-all', '--']
  : [];
