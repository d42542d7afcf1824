// The little that a page is better with: it stays up to date, and a few keys lead somewhere. All of
// the console works without it.
'use strict';
(() => {
  // Where `g` and another key lead.
  const places = { o: '/', r: '/refunds', a: '/accounts', j: '/journal' };
  let wentFirst = false;
  document.addEventListener('keydown', (event) => {
    const at = event.target;
    const writes = at instanceof Element && at.closest('input, textarea, select, [contenteditable]');
    if (writes || event.ctrlKey || event.metaKey || event.altKey) return;
    const find = document.getElementById('find');
    if (event.key === '/' && find) {
      event.preventDefault();
      find.focus();
    } else if (wentFirst && places[event.key]) {
      location.assign(places[event.key]);
    }
    wentFirst = event.key === 'g';
  });

  if (!document.querySelector('[data-live]') || !window.EventSource) return;

  // Fetches this page again and puts what is marked as live in the place of what is shown. What
  // has the focus, and what was opened by hand, stays.
  let isRenewing = false;
  const renew = async () => {
    if (isRenewing || document.hidden) return;
    isRenewing = true;
    try {
      const answer = await fetch(location.href, {
        headers: { 'x-refreshing': 'yes' }, redirect: 'manual', cache: 'no-store',
      });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      for (const shown of document.querySelectorAll('[data-live][id]')) {
        const fresh = page.getElementById(shown.id);
        const isBusy = shown.contains(document.activeElement) || shown.querySelector('details[open]');
        if (fresh && !isBusy && fresh.innerHTML !== shown.innerHTML) {
          shown.replaceWith(document.adoptNode(fresh));
        }
      }
    } catch {
      // The gateway is away for a moment; the stream says when it is back.
    } finally {
      isRenewing = false;
    }
  };
  let events = null;
  const listen = () => {
    events = new EventSource('/live');
    events.addEventListener('changed', renew);
  };
  // A page that is not seen gives its stream back.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      events?.close();
      events = null;
    } else if (!events) {
      listen();
      renew();
    }
  });
  window.addEventListener('pagehide', () => events?.close());
  listen();
})();
