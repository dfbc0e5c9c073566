import { useEffect, useState } from 'preact/hooks';

export interface Answer<T> {
  readonly value: T | undefined;
  readonly error: string | undefined;
}

/** What `ask` resolves with; asked again when `key` changes, and the old answer stays until the new one is there. */
export function useAnswer<T>(key: string, ask: () => Promise<T>): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T> & { readonly key: string }>({
    key,
    value: undefined,
    error: undefined,
  });
  useEffect(() => {
    let isCurrent = true;
    ask().then(
      (value) => isCurrent && setAnswer({ key, value, error: undefined }),
      (error: Error) => isCurrent && setAnswer({ key, value: undefined, error: error.message }),
    );
    return () => {
      isCurrent = false;
    };
  }, [key]);
  return answer;
}
