/** A package for Fedora, RHEL, SUSE and the like. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import { layTree, ZSH_FOLDERS } from './tree.js';

const ARCHITECTURES = { x64: 'x86_64', arm64: 'aarch64' };

/** @param {import('./package.js').Job} job @returns {string} its path */
export function makeRpmPackage({ work, out, version, arch, time, ...job }) {
  const tree = join(work, 'rpm');
  layTree(join(tree, 'usr'), { ...job, arch, zshFolder: ZSH_FOLDERS.others, compress: true });
  const architecture = ARCHITECTURES[arch];
  const specification = join(work, 'tsxbstream.spec');
  fs.writeFileSync(specification, specificationText(version, resolve(tree)));
  const top = resolve(work, 'rpmbuild');
  const words = ['-bb', '--target', `${architecture}-linux`, '--define', `_topdir ${top}`, specification];
  execFileSync('rpmbuild', ['--quiet', ...words], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, SOURCE_DATE_EPOCH: String(time) },
  });
  const name = `tsxbstream-${version}-1.${architecture}.rpm`;
  fs.copyFileSync(join(top, 'RPMS', architecture, name), join(out, name));
  return join(out, name);
}

function specificationText(version, tree) {
  return `# The executable is taken as it is: stripped already, and with a part that no tool may move.
%global debug_package %{nil}
%global __os_install_post %{nil}
%define _build_id_links none
%define _binary_payload w6.gzdio
%define use_source_date_epoch_as_buildtime 1
%define clamp_mtime_to_source_date_epoch 1
%define _buildhost localhost

Name: tsxbstream
Version: ${version}
Release: 1
Summary: Unpacks, inspects, proves and converts MySQL and MariaDB backup streams
License: MIT
Group: Applications/Databases
Requires(post): /usr/sbin/update-alternatives
Requires(preun): /usr/sbin/update-alternatives

%description
A drop-in for "xbstream -x" and "mbstream -x". A file gets its name only when all of it has arrived and every checksum has held;
success means that the stream was whole; nothing that stands in an archive is trusted. Archives are decrypted and decompressed on
the way, listed, verified, and turned into tar archives and back. Node.js is in the program: none needs to be installed.

%install
mkdir -p %{buildroot}
cp -a ${tree}/. %{buildroot}/

%post
update-alternatives --install /usr/bin/xbstream xbstream /usr/bin/tsxbstream 20 \\
  --slave /usr/share/man/man1/xbstream.1.gz xbstream.1.gz /usr/share/man/man1/tsxbstream.1.gz

%preun
if [ "$1" = 0 ]; then update-alternatives --remove xbstream /usr/bin/tsxbstream; fi

%files
%defattr(-,root,root)
/usr/bin/tsxbstream
/usr/share/man/man1/*
/usr/share/bash-completion/completions/tsxbstream
/usr/share/zsh/site-functions/_tsxbstream
/usr/share/fish/vendor_completions.d/tsxbstream.fish
%doc /usr/share/doc/tsxbstream
`;
}
