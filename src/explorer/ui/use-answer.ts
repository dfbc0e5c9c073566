import { useEffect, useState } from 'preact/hooks';

const RETRY_MS = 1_500;

export interface Answer<T> {
  readonly value: T | undefined;
  readonly error: string | undefined;
}

/**
 * What `ask` resolves with; asked again when `key` changes, and the old answer stays until the new one is there. A node that
 * does not answer is asked again.
 */
export function useAnswer<T>(key: string, ask: () => Promise<T>): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T> & { readonly key: string }>({
    key,
    value: undefined,
    error: undefined,
  });
  useEffect(() => {
    let isCurrent = true;
    const attempt = async (): Promise<void> => {
      try {
        const value = await ask();
        if (isCurrent) setAnswer({ key, value, error: undefined });
      } catch (error) {
        if (!isCurrent) return;
        const isUnreachable = error instanceof TypeError;
        const message = isUnreachable ? 'The node does not answer; asking again…' : (error as Error).message;
        setAnswer({ key, value: undefined, error: message });
        if (isUnreachable) setTimeout(() => void (isCurrent && attempt()), RETRY_MS);
      }
    };
    void attempt();
    return () => {
      isCurrent = false;
    };
  }, [key]);
  return answer;
}
