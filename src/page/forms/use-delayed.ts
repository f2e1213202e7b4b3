import { useEffect, useState } from 'preact/hooks';

/** The value after it has not changed for this time: for previews while one types. */
export function useDelayed<Value>(value: Value, delayMs: number): Value {
  const [delayed, setDelayed] = useState(value);
  const text = JSON.stringify(value);
  useEffect(() => {
    const timer = setTimeout(() => setDelayed(value), delayMs);
    return () => clearTimeout(timer);
  }, [text, delayMs]);
  return delayed;
}
