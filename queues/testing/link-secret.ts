/** What the processes of a test know each other by. */
export const linkSecret = 'a-link-secret-that-only-tests-know-0000000';
