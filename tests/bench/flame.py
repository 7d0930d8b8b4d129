#!/usr/bin/env python3
"""A flame graph of perf's samples as one SVG, without scripts: hover for the name and the share.

usage: perf script -i perf.data | tests/bench/flame.py [--comm media-0] > flame.svg
"""
import collections, html, sys

WIDTH, HEIGHT, LEAST = 1200, 16, 0.4  # pixels; a box below LEAST of a percent is left out


def stacks(lines, comm):
    """Each sample's frames, the outermost first."""
    frames, name = [], ''
    for line in lines:
        if not line.strip():
            if frames and (not comm or name == comm):
                yield [name] + frames[::-1]
            frames = []
        elif not line[0].isspace():
            name = line.rsplit(None, 4)[0].split()[0]
        else:
            symbol = line.split(None, 1)[1].rsplit(' (', 1)
            where = symbol[1].strip().rstrip(')').rsplit('/', 1)[-1] if len(symbol) > 1 else '?'
            function = symbol[0].split('+0x')[0]
            frames.append(where if function == '[unknown]' else function)


class Node:
    def __init__(self):
        self.count, self.below = 0, collections.defaultdict(Node)


def draw(node, name, x, depth, total, out):
    share = 100 * node.count / total
    if share < LEAST:
        return
    width = WIDTH * node.count / total
    hue = 20 + hash_of(name) % 35
    text = html.escape(name)
    shown = text if len(name) * 6.5 < width - 4 else html.escape(name[:max(0, int((width - 8) / 6.5))])
    out.append((depth, f'<g><title>{text} {share:.1f} %</title><rect x="{x:.1f}" y="@" width="{width:.1f}" height="{HEIGHT - 1}" '
                       f'fill="hsl({hue} 85% 62%)" rx="1"/><text x="{x + 3:.1f}" y="#">{shown}</text></g>'))
    for child in sorted(node.below):
        draw(node.below[child], child, x, depth + 1, total, out)
        x += WIDTH * node.below[child].count / total


def hash_of(name):
    value = 7
    for letter in name:
        value = value * 31 + ord(letter) & 0xffff
    return value


def main():
    comm = sys.argv[sys.argv.index('--comm') + 1] if '--comm' in sys.argv else None
    root = Node()
    for stack in stacks(sys.stdin, comm):
        node = root
        node.count += 1
        for frame in stack:
            node = node.below[frame]
            node.count += 1
    if not root.count:
        sys.exit('flame.py: no samples')
    out = []
    draw(root, 'all', 0, 0, root.count, out)
    deep = max(depth for depth, _ in out) + 1
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {deep * HEIGHT}" font-family="monospace" font-size="11">')
    for depth, box in out:
        y = (deep - 1 - depth) * HEIGHT
        print(box.replace('y="@"', f'y="{y}"').replace('y="#"', f'y="{y + 12}"'))
    print('</svg>')


main()
