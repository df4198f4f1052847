// The tabs, as the ARIA Authoring Practices describe them: arrows move between tabs, Tab goes into the panel, the address names the tab.
// In: the tablist. Out: a panel that is shown. Must not know what the panels do.

export type TabName = 'faces' | 'network' | 'benchmark';

/** No element has this id: the browser would scroll to it and begin the keyboard's walk there. */
const addressOf = (name: TabName): string => `#/${name}`;

/** Starts them; `onShow` hears of every change and of the first tab. Returns a way to show one. */
export function startTabs(list: HTMLElement, onShow: (name: TabName) => void): (name: TabName) => void {
  const tabs = [...list.querySelectorAll<HTMLElement>('[role=tab]')];
  const nameOf = (tab: HTMLElement): TabName => tab.getAttribute('aria-controls') as TabName;
  const show = (name: TabName): void => {
    for (const tab of tabs) {
      const isChosen = nameOf(tab) === name;
      tab.setAttribute('aria-selected', String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      const panel = document.getElementById(nameOf(tab));
      if (panel) panel.hidden = !isChosen;
    }
    if (location.hash !== addressOf(name)) history.replaceState(null, '', addressOf(name));
    onShow(name);
  };
  const fromAddress = (): TabName => nameOf(tabs.find((tab) => addressOf(nameOf(tab)) === location.hash) ?? tabs[0]);
  for (const tab of tabs) tab.addEventListener('click', () => { show(nameOf(tab)); });
  list.addEventListener('keydown', (event) => {
    const at = tabs.findIndex((tab) => tab === document.activeElement);
    const to = new Map([['ArrowRight', at + 1], ['ArrowLeft', at - 1], ['Home', 0], ['End', tabs.length - 1]]).get(event.key);
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const tab = tabs[(to + tabs.length) % tabs.length];
    tab.focus();
    show(nameOf(tab));
  });
  addEventListener('hashchange', () => { show(fromAddress()); });
  show(fromAddress());
  return show;
}
