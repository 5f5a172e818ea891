// Every text on the page whose contrast with what is painted behind it is less than WCAG 2.2 asks for (AA). Decoration,
// disabled buttons and unseen text are left out.
() => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1});
  const context = canvas.getContext('2d', {willReadFrequently: true});
  const rgba = colour => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].map((part, i) => i < 3 ? part : part / 255);
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((part, i) => part * a + under[i] * (1 - a));
  const behind = element => {
    const layers = [];
    for (let it = element; it; it = it.parentElement) {
      const paint = rgba(getComputedStyle(it).backgroundColor);
      if (paint[3]) layers.push(paint);
      if (paint[3] === 1) break;
    }
    return layers.reduceRight((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const light = rgb => {
    const [r, g, b] = rgb.map(part => (part /= 255) <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; (text = walker.nextNode());) {
    const element = text.parentElement, style = getComputedStyle(element);
    if (!text.data.trim() || !element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    if (element.closest('script, template, .unseen, .skip, :disabled, [aria-hidden=true]:not(.room)')) continue;
    const paper = behind(element);
    let opacity = 1;
    for (let it = element; it; it = it.parentElement) opacity *= getComputedStyle(it).opacity;
    const colour = rgba(element instanceof SVGElement ? style.fill : style.color);
    const ink = over([...colour.slice(0, 3), colour[3] * opacity], paper);
    const [high, low] = [light(ink), light(paper)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = (high + .05) / (low + .05);
    const words = `${element.className || element.tagName}: ${text.data.trim().slice(0, 40)}`;
    if (ratio < (large ? 3 : 4.5)) found.add(`${ratio.toFixed(2)} ${words}`);
  }
  return [...found];
}
