<?php

/**
 * @file
 * The Web Pack: masters hold the files, slaves see them over a network file system.
 */

require_once __DIR__ . '/http_group.php';

/**
 * Takes the place of Provision's class of that name.
 */
class Provision_Service_http_pack extends AegirScaleHttpGroup {

  /**
   * {@inheritdoc}
   */
  public static function option_documentation() {
    return array(
      'slave_web_servers' => 'server with pack: the web servers that see the files, with commas between them',
      'master_web_servers' => 'server with pack: the web servers that hold the files, with commas between them',
    );
  }

  /**
   * {@inheritdoc}
   */
  public function init_server() {
    $this->server->setProperty('slave_web_servers', array(), TRUE);
    $this->server->setProperty('master_web_servers', array(), TRUE);
  }

  /**
   * Calls a method of the services of some of the servers.
   *
   * @return bool
   *   TRUE only if all of them returned what is true.
   */
  public function _each_server($servers, $method, $args = array()) {
    return $this->scale_each($servers, $method, $args);
  }

  /**
   * Brings a path from the masters.
   */
  public function fetch($path = NULL) {
    return $this->scale()->fetch($this->scale_holders(), (string) $path, function ($alias) use ($path) {
      return d($alias)->scale_stock_fetch($path);
    });
  }

  /**
   * {@inheritdoc}
   */
  protected function scale_holders() {
    return (array) $this->server->master_web_servers;
  }

  /**
   * {@inheritdoc}
   */
  protected function scale_all() {
    return array_merge((array) $this->server->master_web_servers, (array) $this->server->slave_web_servers);
  }

}
