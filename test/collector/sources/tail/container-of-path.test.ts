import { expect, test } from 'vitest';
import { containerOfPath } from '../../../../src/collector/sources/tail/container-of-path.ts';

const ID = '0123456789abcdef'.repeat(4);
const UID = '2c1f3d52-8d3f-4a52-9d61-6f5c1d3e7b11';
const POD = {
  'k8s.namespace.name': 'shop',
  'k8s.pod.name': 'web-5d4f-x2x',
  'k8s.container.name': 'nginx-proxy',
};
const FULL_POD = { ...POD, 'k8s.pod.uid': UID, 'k8s.container.restart_count': '3' };
const POD_PATH = `/var/log/pods/shop_web-5d4f-x2x_${UID}/nginx-proxy/3.log`;
const LINK = `/var/log/containers/web-5d4f-x2x_shop_nginx-proxy-${ID}.log`;
const DOCKER = `/var/lib/docker/containers/${ID}/${ID}-json.log`;

test.each([
  ['a log of a pod', [POD_PATH], FULL_POD],
  ['a rotated log of a pod', [`${POD_PATH}.20261128-100000`], FULL_POD],
  ['a log below another root', [`/host${POD_PATH}`], FULL_POD],
  ['a link', [LINK], { ...POD, 'container.id': ID }],
  ['a link and its target', [LINK, POD_PATH], { ...FULL_POD, 'container.id': ID }],
  ['a log of Docker', [DOCKER], { 'container.id': ID }],
  ['a rotated log of Docker', [`${DOCKER}.1`], { 'container.id': ID }],
  ['a log of a pod in Docker', [POD_PATH, DOCKER], { ...FULL_POD, 'container.id': ID }],
  ['another file', ['/var/log/app_a_b/c/app.log'], {}],
  ['a name without an id', ['/var/log/containers/web_shop_nginx.log'], {}],
])('reads the container from the path of %s', (_, paths, expected) => {
  expect(Object.fromEntries(containerOfPath('cri', paths))).toEqual(expected);
});

test('returns nothing for other formats', () => {
  expect(containerOfPath('json', [LINK]).size).toBe(0);
});
