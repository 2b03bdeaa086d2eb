/**
 * What `promise` comes to, unless `signal` is aborted first. Abort ends only this waiting: what
 * the promise stands for goes on, and should it fail later, that counts as heard.
 *
 * Once it has settled no listener is left on `signal`, so that one which lives as long as the
 * program can be used any number of times.
 *
 * @throws what `promise` rejects with
 * @throws `signal.reason` once `signal` is aborted, also when it was before the call
 */
export function untilAborted<Result>(
  promise: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    const forget = (): void => signal.removeEventListener("abort", onAbort);
    promise.then(
      (result) => {
        forget();
        resolve(result);
      },
      (error) => {
        forget();
        reject(error);
      },
    );
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
