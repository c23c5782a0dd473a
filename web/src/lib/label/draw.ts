// The symbol of a label as one path, a unit per module, so that every size of it is sharp. The drawing library does the coding.
import { gs1datamatrix } from 'bwip-js/browser';

export interface Drawn {
  /** Modules in a row, without the quiet zone. */
  modules: number;
  /** SVG path data, to be filled by the even-odd rule. */
  path: string;
}

/** draw codes a GS1 element string in parentheses as DataMatrix. */
export function draw(elements: string): Drawn {
  let modules = 0;
  let path = '';
  const unit = 2; // the library's own, per module at scale 1
  return gs1datamatrix<Drawn>(
    { bcid: 'gs1datamatrix', text: elements, parse: true, scale: 1 },
    {
      scale: () => null,
      measure: () => ({ width: 0, ascent: 0, descent: 0 }),
      init: (width) => {
        modules = width / unit;
      },
      polygon: (points) => {
        path += `M${points.map(([x, y]) => `${x / unit} ${y / unit}`).join('L')}Z`;
      },
      line: () => {},
      hexagon: () => {},
      ellipse: () => {},
      fill: () => {},
      text: () => {},
      end: () => ({ modules, path }),
    },
  );
}
