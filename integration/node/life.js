// The life of an image with the stock Node client, `sdc-clients`, which NODE_PATH leads to.
//
//   node life.js URL [USER KEY-FILE] [--channels] [--source=URL,UUID] [--datacenter=NAME,URL]
//
// `--channels`: the repository has the channels dev, the default, and release. `--source`: an image that is imported from another repository.
// `--datacenter`: another datacenter by the name the repository at URL knows it by, and its own address.
// Prints a line a step; the exit code says whether all went well.
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const os = require('os');
const path = require('path');
const util = require('util');
const bunyan = require('bunyan');
const IMGAPI = require('sdc-clients').IMGAPI;

const OWNER = '352971aa-31ba-496c-9ade-a379feaecd52';
const ACCOUNT = '86055c40-2547-11e2-8a6b-4bb37edc84ba';
const PATIENCE = 60000;

const words = process.argv.slice(2);
const [url, user, key] = words.filter(word => !word.startsWith('--'));
const flag = name => {
    const found = words.find(word => word === '--' + name || word.startsWith('--' + name + '='));
    return found && (found.split('=').slice(1).join('=') || true);
};

const log = bunyan.createLogger({name: 'life', level: 'fatal'});
const client = address => {
    const options = {url: address, log: log, connectTimeout: 5000, retry: {retries: 1, minTimeout: 100, maxTimeout: 1000}};
    if (user) {
        options.user = user;
        options.sign = IMGAPI.cliSigner({keyIds: [key], log: log, user: user});
    }
    return IMGAPI.createClient(options);
};

let failed = 0;
let count = 0;

function ask(who, method, ...args) {
    return new Promise((done, broke) => {
        const timer = setTimeout(() => broke(new Error('no answer')), PATIENCE);
        who[method](...args, (error, value) => {
            clearTimeout(timer);
            error ? broke(error) : done(value);
        });
    });
}

function tell(name, problem) {
    count += 1;
    failed += problem ? 1 : 0;
    console.log(problem ? `FAILED ${name}: ${problem}` : `ok     ${name}`);
}

// A step that must go well; `check` says true, or what is wrong.
async function step(name, work, check) {
    try {
        const value = await work();
        const checked = check ? check(value) : true;
        tell(name, checked === true ? '' : util.inspect(checked));
        return value;
    } catch (error) {
        tell(name, (error.body && JSON.stringify(error.body)) || error.message);
        return {};
    }
}

// A step that must be refused with a code.
async function refused(name, code, work) {
    try {
        await work();
        tell(name, 'was not refused');
    } catch (error) {
        const found = (error.body && error.body.code) || error.code;
        tell(`${name}: ${code}`, found === code ? '' : `${found} ${error.message}`);
    }
}

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'imagewright-node.'));
const file = path.join(directory, 'file');
const icon = path.join(directory, 'icon');
const bytes = crypto.randomBytes(3 * 1024 * 1024 + 17);
const sha1 = crypto.createHash('sha1').update(bytes).digest('hex');
const manifest = more => Object.assign({
    name: 'node-life', version: '1.0.0', type: 'zone-dataset', os: 'smartos', owner: OWNER, public: true,
    tags: {role: 'db', n: 1}, requirements: {min_ram: 64}, description: 'größer'
}, more);

function stream() {
    const source = fs.createReadStream(file);
    IMGAPI.pauseStream(source);
    return source;
}

function uuid() {
    const hex = crypto.randomBytes(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

async function files(c, image) {
    const wrong = sha1.replace(/^./, digit => digit === '0' ? '1' : '0');
    await refused('addImageFile with a wrong digest', 'Download',
        () => ask(c, 'addImageFile', {uuid: image, file: file, compression: 'gzip', sha1: wrong}));
    const added = found => found.files[0].sha1 === sha1 && found.files[0].size === bytes.length || found.files;
    await step('addImageFile of a path', () => ask(c, 'addImageFile', {uuid: image, file: file, compression: 'gzip', sha1: sha1}), added);
    await step('addImageFile of a stream', () => ask(c, 'addImageFile', {uuid: image, file: stream(), size: bytes.length, compression: 'gzip'}), added);
    await step('addImageFile of a stream of unknown length', () => ask(c, 'addImageFile', {uuid: image, file: stream(), compression: 'gzip'}), added);
    await step('addImageIcon', () => ask(c, 'addImageIcon', {uuid: image, file: icon, contentType: 'image/png'}), found => found.icon === true);
    await step('getImageIcon', () => ask(c, 'getImageIcon', image, icon + '.got'), () => fs.readFileSync(icon).equals(fs.readFileSync(icon + '.got')));
}

async function active(c, image) {
    await step('activateImage', () => ask(c, 'activateImage', image), found => found.state === 'active' || found);
    await refused('activateImage again', 'ImageAlreadyActivated', () => ask(c, 'activateImage', image));
    await refused('addImageFile to an active image', 'ImageFilesImmutable', () => ask(c, 'addImageFile', {uuid: image, file: file, compression: 'gzip'}));
    const has = list => list.some(found => found.uuid === image) || list;
    await step('listImages by name', () => ask(c, 'listImages', {name: 'node-life'}, {}), has);
    await step('listImages by tag', () => ask(c, 'listImages', {'tag.role': 'db'}, {}), has);
    await step('listImages with a limit', () => ask(c, 'listImages', {limit: 1}, {}), list => list.length === 1 || list);
    await step('listImages of nothing', () => ask(c, 'listImages', {name: 'nosuch'}, {}), list => list.length === 0 || list);
    await step('getImage', () => ask(c, 'getImage', image), found => found.description === 'größer' && found.tags.n === 1 || found);
    await step('getImageFile', () => ask(c, 'getImageFile', image, file + '.got'), () => bytes.equals(fs.readFileSync(file + '.got')));
    await step('getImageFileStream', async () => {
        const received = await ask(c, 'getImageFileStream', image);
        const digest = crypto.createHash('md5');
        received.on('data', piece => digest.update(piece));
        await new Promise(done => { received.on('end', done); received.resume(); });
        return [digest.digest('base64'), received.headers['content-md5']];
    }, digests => digests[0] === digests[1] || digests);
    await step('updateImage', () => ask(c, 'updateImage', image, {description: 'new', tags: {a: 'b'}}), found => found.description === 'new' || found);
    await refused('updateImage of the type', 'ValidationFailed', () => ask(c, 'updateImage', image, {type: 'zvol'}));
    await step('addImageAcl', () => ask(c, 'addImageAcl', image, [ACCOUNT]), found => found.acl.length === 1 || found);
    await step('removeImageAcl', () => ask(c, 'removeImageAcl', image, [ACCOUNT]), found => !found.acl || found);
    await step('disableImage', () => ask(c, 'disableImage', image), found => found.state === 'disabled' || found);
    await step('enableImage', () => ask(c, 'enableImage', image), found => found.state === 'active' || found);
    await step('deleteImageIcon', () => ask(c, 'deleteImageIcon', image), found => !found.icon);
    await refused('getImageIcon of none', 'ResourceNotFound', () => ask(c, 'getImageIcon', image, icon + '.none'));
    await step('adminChangeStor', () => ask(c, 'adminChangeStor', {uuid: image, stor: 'local'}), found => found.uuid === image);
    await refused('exportImage', 'StorageUnsupported', () => ask(c, 'exportImage', image, {manta_path: '/joe/stor'}));
}

async function channels(c, image) {
    await step('listChannels', () => ask(c, 'listChannels', {}), list => list.length === 2 || list);
    await step('channelAddImage', () => ask(c, 'channelAddImage', {uuid: image, channel: 'release'}), found => found.channels.length === 2 || found);
    await step('getImage on a channel', () => ask(c, 'getImage', image, {channel: 'release'}), found => found.uuid === image);
    await step('deleteImage from a channel', () => ask(c, 'deleteImage', image));
    await refused('getImage of a channel it has left', 'ResourceNotFound', () => ask(c, 'getImage', image));
    await step('getImage on any channel', () => ask(c, 'getImage', image, {channel: '*'}), found => found.channels.join() === 'release' || found);
    await step('deleteImage from all channels', () => ask(c, 'deleteImage', image, {channel: 'release', forceAllChannels: true}));
}

async function imports(c) {
    const image = uuid();
    const published = '2013-01-02T03:04:05.678Z';
    const imported = manifest({uuid: image, v: 2, published_at: published});
    await step('adminImportImage', () => ask(c, 'adminImportImage', imported, {}), found => found.state === 'unactivated' && found.uuid === image);
    await refused('adminImportImage again', 'ImageUuidAlreadyExists', () => ask(c, 'adminImportImage', imported, {}));
    await step('addImageFile to it', () => ask(c, 'addImageFile', {uuid: image, file: file, compression: 'none'}));
    await step('activateImage keeps its date', () => ask(c, 'activateImage', image), found => found.published_at === published || found);
    await step('deleteImage', () => ask(c, 'deleteImage', image));
    await refused('deleteImage again', 'ResourceNotFound', () => ask(c, 'deleteImage', image));
    if (flag('source')) {
        const [source, there] = flag('source').split(',');
        await step('adminImportRemoteImageAndWait', () => ask(c, 'adminImportRemoteImageAndWait', there, source, {}), found => found.state === 'active' || found);
        await refused('adminImportRemoteImage again', 'ImageUuidAlreadyExists', () => ask(c, 'adminImportRemoteImage', there, source, {}));
        await refused('adminImportRemoteImage of nothing', 'RemoteSourceError', () => ask(c, 'adminImportRemoteImage', image, source, {}));
    }
}

// What only datacenters have: accounts, clones, copies from another one.
async function datacenter(c) {
    const [name, address] = flag('datacenter').split(',');
    const other = client(address);
    const image = (await step('createImage for an account', () => ask(c, 'createImage', manifest({owner: undefined, public: false}), OWNER), found => found.owner === OWNER || found)).uuid;
    await refused('getImage of another account', 'ResourceNotFound', () => ask(c, 'getImage', image, ACCOUNT));
    await step('addImageFile for it', () => ask(c, 'addImageFile', {uuid: image, file: file, compression: 'none'}, OWNER));
    await step('activateImage for it', () => ask(c, 'activateImage', image, OWNER));
    await step('addImageAcl for it', () => ask(c, 'addImageAcl', image, [ACCOUNT], OWNER));
    await refused('updateImage by who only sees it', 'NotImageOwner', () => ask(c, 'updateImage', image, {description: 'x'}, ACCOUNT));
    await step('cloneImage', () => ask(c, 'cloneImage', image, ACCOUNT), found => found.owner === ACCOUNT && found.uuid !== image || found);
    const there = (await step('createImage in the other datacenter', () => ask(other, 'createImage', manifest({public: false})))).uuid;
    await step('addImageFile in it', () => ask(other, 'addImageFile', {uuid: there, file: file, compression: 'none'}));
    await step('activateImage in it', () => ask(other, 'activateImage', there));
    await step('importImageFromDatacenterAndWait',
        () => ask(c, 'importImageFromDatacenterAndWait', there, OWNER, {datacenter: name}), found => found.uuid === there || found);
    await refused('createImageFromVm', 'NotAvailable', () => ask(c, 'createImageFromVm', {name: 'x', version: '1'}, {vm_uuid: uuid()}, OWNER));
    other.close();
}

async function main() {
    fs.writeFileSync(file, bytes);
    fs.writeFileSync(icon, Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), crypto.randomBytes(2000)]));
    const c = client(url);
    await step('ping', () => ask(c, 'ping'), pong => pong.ping === 'pong' && (!user || pong.user === user) || pong);
    await refused('ping with an error', 'ValidationFailed', () => ask(c, 'ping', 'ValidationFailed'));
    const image = (await step('createImage', () => ask(c, 'createImage', manifest({})), found => found.state === 'unactivated' || found)).uuid;
    await refused('activateImage without a file', 'NoActivationNoFile', () => ask(c, 'activateImage', image));
    await files(c, image);
    await active(c, image);
    if (flag('channels')) {
        await channels(c, image);
    } else {
        await refused('listChannels', 'ResourceNotFound', () => ask(c, 'listChannels', {}));
        await step('deleteImage', () => ask(c, 'deleteImage', image));
    }
    await imports(c);
    await refused('getImage of no uuid', 'ResourceNotFound', () => ask(c, 'getImage', 'nosuch'));
    await step('adminGetState', () => ask(c, 'adminGetState'), state => state.storageTypes[0] === 'local' || state);
    await step('adminReloadAuthKeys', () => ask(c, 'adminReloadAuthKeys'));
    if (flag('datacenter')) {
        await datacenter(c);
    }
    c.close();
    fs.rmSync(directory, {recursive: true});
    console.log(`${count - failed} of ${count} steps went well`);
    process.exit(failed > 0 ? 1 : 0);
}

main();
