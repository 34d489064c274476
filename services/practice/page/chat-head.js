import { avatar, h, icon, iconButton } from './dom.js';

/** Above the messages: whom one talks to and as whom, what the bot is doing, and the chat's own menu. */
export const createChatHead = ({ onBack, onActAs, onBlock, onClear }) => {
  const element = h('header', { class: 'chat-head' });
  const status = h('span', { class: 'chat-status', role: 'status' });
  let isTyping = false;

  const menuItem = (label, act) =>
    h(
      'button',
      {
        type: 'button',
        onclick: (event) => {
          event.currentTarget.closest('details').open = false;
          act();
        },
      },
      label,
    );

  const drawStatus = (store, chat) => {
    const members = chat.type === 'private' ? 'bot' : `${chat.memberIds.length} people and the bot`;
    const presence = store.bot.polling ? 'online' : 'waiting for it to start…';
    status.classList.toggle('active', isTyping);
    status.textContent = !store.connected ? 'connecting…' : isTyping ? isTyping : `${members} · ${presence}`;
  };

  return {
    element,
    draw: (store, chat, actingAs) => {
      const isPrivate = chat.type === 'private';
      const person = store.people.get(actingAs);
      const title = isPrivate ? store.bot.name : chat.name;
      const members = chat.memberIds.map((id) => store.people.get(id)).filter(Boolean);
      const menu = h(
        'details',
        { class: 'more' },
        h('summary', { 'aria-label': 'More', title: 'More' }, icon('more')),
        h(
          'div',
          { class: 'more-menu' },
          isPrivate ? menuItem(person.blocked ? 'Unblock the bot' : 'Block the bot', onBlock) : null,
          menuItem('Clear this chat', onClear),
        ),
      );
      menu.addEventListener('focusout', ({ relatedTarget }) => {
        if (!menu.contains(relatedTarget)) menu.open = false;
      });
      element.replaceChildren(
        iconButton('back', 'All people and groups', onBack, { class: 'icon-button back' }),
        avatar(title, chat.id, isPrivate),
        h('div', { class: 'chat-title' }, h('h2', {}, title), status),
        isPrivate
          ? h('p', { class: 'acting' }, h('span', {}, 'acting as '), h('strong', {}, person.firstName))
          : h(
              'label',
              { class: 'acting' },
              h('span', {}, 'acting as '),
              h(
                'select',
                { onchange: (event) => onActAs(Number(event.currentTarget.value)) },
                ...members.map(({ id, firstName }) =>
                  h('option', { value: id, selected: id === actingAs }, firstName),
                ),
              ),
            ),
        menu,
      );
      drawStatus(store, chat);
    },
    setTyping: (store, chat, text) => {
      isTyping = text;
      drawStatus(store, chat);
    },
  };
};
