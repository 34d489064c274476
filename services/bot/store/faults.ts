/** The storage itself is out (disk full, busy, unreadable): nothing is wrong with what was asked, so ask again later. */
export const isStorageFault = (error: unknown): boolean => {
  const code = (error as { code?: unknown } | null)?.code;
  return (
    typeof code === 'string' &&
    /^SQLITE_(FULL|BUSY|IOERR|LOCKED|NOMEM|CANTOPEN|READONLY|CORRUPT|NOTADB|PROTOCOL)/.test(code)
  );
};
