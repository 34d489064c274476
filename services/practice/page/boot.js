/**
 * Starts the page once all of it is there. Chromium drops what it is loading whenever a network interface of the machine
 * comes or goes (ERR_NETWORK_CHANGED), as at every start of a container; a page that misses a part loads anew.
 */

const attempts = 'practice-load-attempts';
const mostAttempts = 5;

const loaded = () =>
  document.readyState === 'complete'
    ? Promise.resolve()
    : new Promise((resolve) => window.addEventListener('load', resolve, { once: true }));

const start = async () => {
  await loaded();
  // One that was not loaded has a sheet all the same in some versions, an empty one.
  const links = [...document.querySelectorAll('link[rel=stylesheet]')];
  const missing = links.find(({ sheet }) => !sheet?.cssRules.length);
  if (missing) throw new Error(`${missing.href} was not loaded`);
  await import('./main.js');
  sessionStorage.removeItem(attempts);
};

start().catch((error) => {
  const made = Number(sessionStorage.getItem(attempts));
  if (made >= mostAttempts) throw error;
  sessionStorage.setItem(attempts, String(made + 1));
  location.reload();
});
