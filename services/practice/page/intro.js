import { h } from './dom.js';

/** What an empty chat shows: what this is, and what to do first. */
export const intro = (store, chat, person) => {
  const isPrivate = chat.type === 'private';
  const hints = {
    administrator: 'As the administrator you can use every command, and you decide who else may.',
    user: 'Ben and Chloé are ordinary users: the administrator lets them in with /allow_user.',
    stranger: 'Sam is not on the list. See how the bot treats somebody it does not know.',
  };
  const id = isPrivate && person.note !== 'administrator' ? ` ${person.firstName}’s id is ${person.id}.` : '';
  return h(
    'section',
    { class: 'intro' },
    h('img', { src: 'icon.svg', alt: '', width: '72', height: '72' }),
    h('h3', {}, isPrivate ? 'What can this bot do?' : chat.name),
    h(
      'p',
      {},
      store.bot.description ||
        'Berth gives you your own development machine: a container with SSH, made from this chat.',
    ),
    h(
      'p',
      { class: 'intro-hint' },
      isPrivate
        ? `This looks and works like Telegram, but never leaves this machine. ${hints[person.note] ?? ''}${id}`
        : 'In a group the bot hears commands, mentions and replies to its messages.',
    ),
    isPrivate && !person.started
      ? h('p', { class: 'intro-action' }, 'Press START below to say hello.')
      : null,
  );
};
